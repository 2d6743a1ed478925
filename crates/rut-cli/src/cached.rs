//! Dense weights that other tools have downloaded: in the caches of `torch.hub` and of the Hugging Face hub.

use std::path::{Path, PathBuf};

use anyhow::{bail, Result};
use rut_formats::escape;
use rut_models::{find_dense, ModelSpec};
use rut_record::{NetworkKind, RunSpec};
use rut_run::network_files;

/// Files of weights in a snapshot of the hub, the preferred first.
const HUB_FILES: [&str; 2] = ["model.safetensors", "pytorch_model.bin"];

/// Names the checkpoint of a dense network that `spec` leaves out, where the folder of networks has none and a cache has it;
/// gives a sentence about what was found. A model's name may say which weights: `resnet18.a1_in1k`,
/// `ResNet50_Weights.IMAGENET1K_V2`.
///
/// # Errors
/// If the weights that the name says are not there, or several files could be meant.
pub fn find(spec: &mut RunSpec, variables: &[(String, String)]) -> Result<Option<String>> {
    let network = &spec.network;
    let Some(model) = rut_models::find(&network.model) else {
        return Ok(None);
    };
    if network.kind != NetworkKind::Dense || network.checkpoint.is_some() {
        return Ok(None);
    }
    let caches = Caches::of(variables);
    let found = match network.model.split_once('.') {
        Some((stem, weights)) => {
            Some(caches.named(model, stem, weights, &network.pretrained_dir)?)
        }
        None if network_files(spec).is_ok() => None,
        None => caches.any(model)?,
    };
    let text = found
        .as_ref()
        .map(|file| format!("weights of {}: {}", model.name, escape(file).whole()));
    spec.network.checkpoint = found;
    Ok(text)
}

struct Caches {
    torch: Option<PathBuf>,
    hub: Option<PathBuf>,
}

impl Caches {
    fn of(variables: &[(String, String)]) -> Self {
        let set = |name: &str| {
            let own = variables
                .iter()
                .find(|(key, value)| key == name && !value.is_empty());
            own.map(|(_, value)| PathBuf::from(value))
        };
        let user = set("XDG_CACHE_HOME").or_else(|| Some(set("HOME")?.join(".cache")));
        let below = |name: &str| user.as_ref().map(|user| user.join(name));
        let torch = set("TORCH_HOME").or_else(|| below("torch"));
        let home = set("HF_HOME").or_else(|| below("huggingface"));
        Self {
            torch: torch.map(|torch| torch.join("hub/checkpoints")),
            hub: set("HF_HUB_CACHE").or_else(|| Some(home?.join("hub"))),
        }
    }

    /// The weights that the name `stem.weights` says.
    fn named(&self, model: &ModelSpec, stem: &str, weights: &str, own: &Path) -> Result<PathBuf> {
        let torchvision = model
            .weights
            .iter()
            .find(|row| stem.ends_with("_Weights") && row.name == weights);
        if let Some(row) = torchvision {
            let folders = [Some(own), self.torch.as_deref()];
            let files = folders.into_iter().flatten().flat_map(|folder| {
                ["safetensors", "pth"].map(|ending| folder.join(format!("{}.{ending}", row.stem())))
            });
            return files.into_iter().find(|file| file.is_file()).map_or_else(
                || {
                    let version = row.name.rsplit('_').next().unwrap_or(row.name);
                    bail!(
                        "find the weights {stem}.{weights}: {} is neither in {} nor in torch's cache; `rut fetch --models {}:{version}` \
                         downloads it",
                        row.stem(), escape(own).whole(), model.name
                    )
                },
                Ok,
            );
        }
        if stem.ends_with("_Weights") {
            let known: Vec<&str> = model.weights.iter().map(|row| row.name).collect();
            bail!(
                "find the weights {stem}.{weights}: expected one of {}",
                known.join(", ")
            );
        }
        match self.of_timm(&format!("{stem}.{weights}")).first() {
            Some(file) => Ok(file.clone()),
            None => bail!(
                "find the weights {stem}.{weights}: they are not in the cache of the Hugging Face hub; \
                 `rut fetch --hf timm/{stem}.{weights}/model.safetensors` downloads them, `--checkpoint FILE` names a file"
            ),
        }
    }

    /// The only weights of `model` that there are.
    fn any(&self, model: &ModelSpec) -> Result<Option<PathBuf>> {
        if let Some(torch) = self.torch.as_deref().filter(|torch| torch.is_dir()) {
            match find_dense(torch, model) {
                Ok(file) => return Ok(Some(file)),
                Err(error @ rut_models::Error::AmbiguousTicket { .. }) => {
                    return Err(rut_run::Error::from(error).into());
                }
                Err(_) => {}
            }
        }
        match self.of_timm(&format!("{}.", model.name)).as_slice() {
            [] => Ok(None),
            [file] => Ok(Some(file.clone())),
            several => {
                let names: Vec<String> = several
                    .iter()
                    .map(|file| escape(file).whole().to_string())
                    .collect();
                bail!(
                    "find the weights of {}: the cache of the Hugging Face hub has several ({}); name one by `--checkpoint`",
                    model.name,
                    names.join(", ")
                )
            }
        }
    }

    /// Files of timm's repositories whose name is `name`, or begins so if that ends in a point; sorted.
    fn of_timm(&self, name: &str) -> Vec<PathBuf> {
        let folders = |path: &Path| {
            let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
            let mut folders: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
            folders.sort();
            folders
        };
        let wanted = format!("models--timm--{name}");
        let is_wanted = |path: &PathBuf| {
            let own = path
                .file_name()
                .and_then(|own| own.to_str())
                .unwrap_or_default();
            own == wanted || name.ends_with('.') && own.starts_with(&wanted)
        };
        let repositories = self.hub.iter().flat_map(|hub| folders(hub));
        let snapshots = repositories.filter(is_wanted).filter_map(|repository| {
            let snapshots = folders(&repository.join("snapshots"));
            let files = snapshots
                .into_iter()
                .rev()
                .flat_map(|snapshot| HUB_FILES.map(|file| snapshot.join(file)));
            files.into_iter().find(|file| file.is_file())
        });
        snapshots.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(model: &str, home: &Path) -> Result<Option<PathBuf>> {
        let mut spec = RunSpec::default();
        spec.network.model = model.into();
        spec.network.kind = NetworkKind::Dense;
        spec.network.pretrained_dir = home.join("none");
        let home = home.to_str().unwrap().to_owned();
        find(&mut spec, &[("HOME".into(), home)])?;
        Ok(spec.network.checkpoint)
    }

    #[test]
    fn weights_are_found_in_both_caches_by_the_names_of_their_tools() {
        let home = tempfile::tempdir().unwrap();
        let home = home.path();
        assert_eq!(asked("resnet18", home).unwrap(), None);
        let torch = home.join(".cache/torch/hub/checkpoints");
        let timm =
            home.join(".cache/huggingface/hub/models--timm--resnet18.a1_in1k/snapshots/0a1b");
        for folder in [&torch, &timm] {
            std::fs::create_dir_all(folder).unwrap();
        }
        let timm = timm.join("model.safetensors");
        std::fs::write(&timm, "").unwrap();
        assert_eq!(asked("resnet18", home).unwrap(), Some(timm.clone()));
        let torch = torch.join("resnet18-f37072fd.pth");
        std::fs::write(&torch, "").unwrap();
        assert_eq!(asked("resnet18", home).unwrap(), Some(torch.clone()));
        let weights = "ResNet18_Weights.IMAGENET1K_V1";
        assert_eq!(asked(weights, home).unwrap(), Some(torch));
        assert_eq!(asked("resnet18.a1_in1k", home).unwrap(), Some(timm));
        let missing = [
            (
                "resnet18.a2_in1k",
                "rut fetch --hf timm/resnet18.a2_in1k/model.safetensors",
            ),
            (
                "ResNet50_Weights.IMAGENET1K_V2",
                "rut fetch --models resnet50:V2",
            ),
            (
                "ResNet18_Weights.IMAGENET1K_V7",
                "expected one of IMAGENET1K_V1",
            ),
        ];
        for (name, says) in missing {
            let error = asked(name, home).unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
        }
    }

    #[test]
    fn several_files_are_not_chosen_among() {
        let home = tempfile::tempdir().unwrap();
        let hub = home.path().join(".cache/huggingface/hub");
        for name in ["a1_in1k", "a2_in1k"] {
            let folder = hub.join(format!("models--timm--resnet18.{name}/snapshots/0"));
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(folder.join("model.safetensors"), "").unwrap();
        }
        let error = asked("resnet18", home.path()).unwrap_err().to_string();
        assert!(
            error.contains("several") && error.contains("a2_in1k"),
            "{error}"
        );
        // The name of another model begins alike.
        assert_eq!(asked("resnet152", home.path()).unwrap(), None);
    }
}
