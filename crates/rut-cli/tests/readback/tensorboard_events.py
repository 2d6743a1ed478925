"""Reads a run's event file with TensorBoard and compares it with `events.jsonl` and `record.json`.

    python tensorboard_events.py RUN
"""

import json
import struct
import sys
from collections import defaultdict
from pathlib import Path

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import api_pb2, plugin_data_pb2

run = Path(sys.argv[1])
record = json.loads((run / "record.json").read_text())
events = [json.loads(line) for line in (run / "events.jsonl").read_text().splitlines()]


def f32(value):
    return struct.unpack("<f", struct.pack("<f", value))[0]


# What must be there, from the other two files.
scalars, maps, step = defaultdict(list), [], 0
for event in events:
    kind = event["event"]
    figures = {}
    if kind == "step":
        step = event["step"]
        figures["train/loss"] = event["loss"]
    elif kind == "epoch":
        step = max(step, event["epoch"] + 1)
        figures |= {"train/epoch_loss": event["loss"], "train/accuracy": event["accuracy"]}
        if record["spec"].get("optimizer") != "lbfgs":
            figures["train/learning_rate"] = event["learning_rate"]
        for member in event.get("members", []):
            figures[f"train/epoch_loss/member_{member['member']}"] = member["loss"]
            figures[f"train/accuracy/member_{member['member']}"] = member["accuracy"]
    elif kind == "mapped":
        figures |= {"map/ties": event["ties"], "map/without_evidence": len(event["without_evidence"])}
        if event["churn"] is not None:
            figures["map/churn"] = event["churn"]
        maps.append((step, event["sources"]))
    elif kind == "scored":
        for name in ["accuracy", "nll", "ece"]:
            figures[f"{event['split']}/{name}"] = event[name]
            for member in event.get("members", []):
                figures[f"{event['split']}/{name}/member_{member['member']}"] = member[name]
    for tag, value in figures.items():
        scalars[tag].append((step, f32(value)))
for which in ["raw", "at_temperature"]:
    if record["test"][which] is not None:
        for name in ["accuracy", "ece", "nll", "brier"]:
            scalars[f"test/{which}/{name}"] = [(record["training"]["steps"], f32(record["test"][which][name]))]

# What is there.
files = list(run.glob("*tfevents*"))
assert len(files) == 1, files
board = EventAccumulator(str(run), size_guidance={"scalars": 0, "images": 0}).Reload()
assert board.file_version == 2.0, board.file_version
found = {tag: [(e.step, e.value) for e in board.Scalars(tag)] for tag in board.Tags()["scalars"]}
assert found.keys() == scalars.keys(), found.keys() ^ scalars.keys()
for tag, expected in scalars.items():
    assert found[tag] == expected, (tag, found[tag], expected)

# The specification, as hyperparameters and as a text.
hparams = {
    tag: plugin_data_pb2.HParamsPluginData.FromString(content)
    for tag, content in board.PluginTagToContent("hparams").items()
}
assert sorted(hparams) == ["_hparams_/session_end_info", "_hparams_/session_start_info"], hparams
assert hparams["_hparams_/session_end_info"].session_end_info.status == api_pb2.STATUS_SUCCESS
start = hparams["_hparams_/session_start_info"].session_start_info
assert start.start_time_secs > 1.6e9
told = {name: getattr(value, value.WhichOneof("kind")) for name, value in start.hparams.items()}
for name, value in record["spec"].items():
    assert told[name] == value or isinstance(value, (list, dict, type(None))), (name, told[name], value)
[text] = board.Tensors("specification/text_summary")
text = text.tensor_proto.string_val[0].decode()
specification = (run / "spec.toml").read_text()
for line in text.splitlines():
    assert line.startswith("    ") and line.strip() in specification, line
assert "    method = " in text

times = [e.wall_time for e in board.Scalars("train/epoch_loss")]
assert times == sorted(times) and times[0] > 1.6e9, times


def size(image):
    png = image.encoded_image_string
    assert png[:8] == b"\x89PNG\r\n\x1a\n" and png[12:16] == b"IHDR"
    width, height = struct.unpack(">II", png[16:24])
    assert (width, height) == (image.width, image.height)
    return width, height


def pixels(image):
    """Rows of colours, by Pillow; None where there is none."""
    try:
        import io

        from PIL import Image
    except ImportError:
        return None
    decoded = Image.open(io.BytesIO(image.encoded_image_string))
    assert decoded.mode == "RGB", decoded.mode
    return [[decoded.getpixel((x, y)) for x in range(decoded.width)] for y in range(decoded.height)]


# The margins of a framed picture: left, top, and of both sides together.
LEFT, TOP, ACROSS, DOWN = 6, 20, 18, 40


def check_map(image, sources):
    width, height = size(image)
    width, height = width - ACROSS, height - DOWN
    columns, rows = record["network"]["source_classes"], len(sources)
    assert width % columns == 0 and height % rows == 0, (width, height)
    wide, tall = width // columns, height // rows
    drawn = pixels(image)
    for target, source in enumerate(sources if drawn else []):
        line = drawn[TOP + target * tall][LEFT : LEFT + width]
        dark = {x // wide for x, colour in enumerate(line) if sum(colour) < 500}
        assert dark == {source}, (target, dark, source)


images = board.Tags()["images"]
scored = [name for name in ("at_temperature", "raw") if record["test"][name] is not None]
diagrams = [f"test/{name}/reliability" for name in scored]
for tag in diagrams:
    [diagram] = board.Images(tag)
    assert diagram.step == record["training"]["steps"] and size(diagram)[0] > 300, tag
if record["spec"]["method"] == "lp":
    assert sorted(images) == diagrams, images
    sys.exit()
assert sorted(images) == ["map/picture", "prompt/picture", *diagrams], images
kept = [made for number, made in enumerate(maps, 1) if number & (number - 1) == 0]
kept.append((record["training"]["steps"], record["mapping"]["sources"]))
drawn = board.Images("map/picture")
assert [image.step for image in drawn] == [step for step, _ in kept]
for image, (_, sources) in zip(drawn, kept):
    check_map(image, sources)

[prompt] = board.Images("prompt/picture")
assert prompt.step == record["training"]["steps"]
side, inner = size(prompt)[0], record["data"]["image_size"]
assert size(prompt) == (side, side)
if (colours := pixels(prompt)) is not None:
    start = (side - inner + 1) // 2
    inside = {colours[y][x] for y in range(start, start + inner) for x in range(start, start + inner)}
    assert inside == {(236, 236, 236)}, inside
    border = {colours[y][x] for y in range(side) for x in range(start)}
    assert len(border) > 10 and (0, 0, 0) not in border
