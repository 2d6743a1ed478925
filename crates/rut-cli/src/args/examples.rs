//! Two examples for the help of every command.

use clap::Command;

/// Commands by their words, and examples for each.
const EXAMPLES: &[(&str, [&str; 2])] = &[
    ("lp", [
        "rut lp --dataset photos --model resnet50 --network dense --checkpoint resnet50.pth --n-shot 16",
        "rut lp --dataset digits --model resnet20_cifar100 --sparsity 8 --lr-grid 1,0.1,0.01",
    ]),
    ("vp", [
        "rut vp --dataset digits --model resnet20_cifar100 --sparsity 8 --n-shot 16 --epochs 40",
        "rut vp --config run.toml --seed 5 --resume",
    ]),
    ("joint", [
        "rut joint --dataset digits --model resnet20_cifar100 --sparsity 8 --prompt lowrank",
        "rut joint --preset lor-vp --dataset photos --model resnet50 --network dense --checkpoint resnet50.pth",
    ]),
    ("presets", ["rut presets", "rut presets smm"]),
    ("eval", ["rut eval results/RUN", "rut eval results/RUN --part validation --json"]),
    ("upstream", [
        "rut upstream --model resnet20_cifar100 --sparsity 8 --dataset cifar100",
        "rut upstream --model resnet50 --network dense --checkpoint resnet50.pth --dataset imagenet-val --record results",
    ]),
    ("metrics", [
        "rut metrics logits.npz",
        "rut metrics --run results/RUN --against other.safetensors",
    ]),
    ("extract", [
        "rut extract --dataset photos --model resnet50 --network dense --checkpoint resnet50.pth --features -o features.safetensors",
        "rut extract --dataset digits --model resnet20_cifar100 --sparsity 8 --part train -o train.safetensors",
    ]),
    ("predict", [
        "rut predict results/RUN photo.jpg",
        "rut predict results/RUN photos --top-k 3 --json",
    ]),
    ("study card", ["rut study card study.toml --dry-run", "rut study card study.toml --json"]),
    ("study switches", ["rut study switches", "rut study switches --json"]),
    ("sweep run", [
        "rut sweep run study.toml --dry-run",
        "rut sweep run study.toml --jobs 2 --results-path results",
    ]),
    ("sweep status", ["rut sweep status results", "rut sweep status results --json"]),
    ("sweep emit", [
        "rut sweep emit study.toml --slurm --output jobs",
        "rut sweep emit study.toml --slurm --output jobs --runs-per-task 8 --time 04:00:00",
    ]),
    ("sweep task", [
        "rut sweep task plan.jsonl --task 0 --runs-per-task 8",
        "rut sweep task plan.jsonl --run RUN_ID",
    ]),
    ("bench", [
        "rut bench --model resnet50 --batch-size 32 --window 32,128",
        "rut bench --only forward,backward --model resnet50 --density 0.168",
    ]),
    ("report", [
        "rut report results --out report",
        "rut report results other-results --out report --title Transfer --omit-cost",
    ]),
    ("ticket inspect", [
        "rut ticket inspect --model resnet20_cifar100 --sparsity 8",
        "rut ticket inspect --model resnet50 --checkpoint ticket.pth --mask mask.pth --json",
    ]),
    ("ticket make", [
        "rut ticket make --model resnet50 --network dense --checkpoint resnet50.pth --density 0.2 -o tickets",
        "rut ticket make --model resnet20_cifar100 --sparsity 0 --scope 2:4 --recalibrate cifar100 -o tickets",
    ]),
    ("ticket convert", [
        "rut ticket convert --model resnet50 --checkpoint pruned.pth -o tickets",
        "rut ticket convert --model resnet20_cifar10 --checkpoint model_ep160_it0.pth --mask mask.pth --state 8 -o tickets",
    ]),
    ("quantize", [
        "rut quantize --model resnet20_cifar100 --sparsity 0 --bits 4 -o quantized",
        "rut quantize --model resnet50 --network dense --bits 8 --activation-bits 8 --calibrate photos -o quantized",
    ]),
    ("fetch", ["rut fetch cifar10 dtd", "rut fetch --models resnet50"]),
    ("data list", ["rut data list", "rut data list --json"]),
    ("data info", ["rut data info dtd", "rut data info dtd --json"]),
    ("data check", ["rut data check digits", "rut data check photos --json"]),
    ("data show", ["rut data show digits --output digits.png", "rut data show photos --part test --per-class 3"]),
    ("data draw", [
        "rut data draw digits --n-shot 16 --seed 4",
        "rut data draw digits --n-shot 16 --output shots.csv",
    ]),
    ("models list", ["rut models list", "rut models list --json"]),
    ("models info", ["rut models info resnet50", "rut models info resnet18.a1_in1k"]),
    ("completions", [
        "rut completions bash > ~/.local/share/bash-completion/completions/rut",
        "rut completions zsh",
    ]),
    ("man", ["rut man", "rut man --output man1"]),
];

/// `command` with the examples of its commands.
pub fn added(command: Command) -> Command {
    EXAMPLES.iter().fold(command, |command, (words, examples)| {
        let text = format!("Examples:\n  {}", examples.join("\n  "));
        match words.split_once(' ') {
            Some((group, name)) => command.mut_subcommand(group, |group| {
                group.mut_subcommand(name, |command| command.after_help(text))
            }),
            None => command.mut_subcommand(words, |command| command.after_help(text)),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::Cli;

    /// The commands that do something, by their words.
    fn commands(command: &Command, words: &str) -> Vec<String> {
        if !command.has_subcommands() {
            return vec![words.to_owned()];
        }
        let named = command
            .get_subcommands()
            .filter(|command| command.get_name() != "help");
        named
            .flat_map(|command| commands(command, format!("{words} {}", command.get_name()).trim()))
            .collect()
    }

    #[test]
    fn every_command_has_examples_that_can_be_typed() {
        let mut all = commands(&Cli::with_examples(), "");
        let mut with: Vec<String> = EXAMPLES
            .iter()
            .map(|(words, _)| (*words).to_owned())
            .collect();
        all.sort();
        with.sort();
        assert_eq!(with, all);
        for (words, examples) in EXAMPLES {
            for example in examples {
                assert!(example.starts_with(&format!("rut {words}")), "{example}");
                let typed = example.split_whitespace().take_while(|word| *word != ">");
                let read = Cli::read(typed);
                assert!(read.is_ok(), "{example}: {}", read.unwrap_err());
            }
        }
    }
}
