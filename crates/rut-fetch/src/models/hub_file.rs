//! Files of the Hugging Face hub, by plain HTTPS, and in the cache that its own tools keep.

use std::fs;
use std::path::{Path, PathBuf};

use ureq::Agent;
use ureq::http::StatusCode;

use crate::attempts::Attempts;
use crate::error::{Error, Result};
use crate::hub::Hub;
use crate::job::Job;
use crate::request::{Failure, Request, text};

/// A file of the hub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HubFile {
    /// `ORG/NAME`.
    pub repository: String,
    /// A branch, a tag or a commit.
    pub revision: String,
    /// Path in the repository.
    pub path: String,
}

impl HubFile {
    /// Reads `ORG/NAME/FILE` or `ORG/NAME@REVISION/FILE`.
    ///
    /// # Errors
    /// [`Error::HubName`], if it is neither.
    ///
    /// ```
    /// use rut_fetch::models::HubFile;
    ///
    /// let file = HubFile::parse("timm/resnet50.a1_in1k@v1/model.safetensors")?;
    /// assert_eq!((file.revision.as_str(), file.path.as_str()), ("v1", "model.safetensors"));
    /// # Ok::<(), rut_fetch::Error>(())
    /// ```
    pub fn parse(text: &str) -> Result<Self> {
        let no_name = |problem: String| Error::HubName {
            text: text.to_owned(),
            problem,
        };
        let parts: Vec<&str> = text.splitn(3, '/').collect();
        let &[organisation, name, path] = parts.as_slice() else {
            let problem = "expected ORG/NAME/FILE or ORG/NAME@REVISION/FILE";
            return Err(no_name(problem.to_owned()));
        };
        let (name, revision) = name.split_once('@').unwrap_or((name, "main"));
        let is_plain = |part: &str| {
            let may = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
            !part.is_empty() && !part.starts_with('.') && part.chars().all(may)
        };
        let all = [organisation, name, revision]
            .into_iter()
            .chain(path.split('/'));
        for part in all {
            if !is_plain(part) {
                return Err(no_name(format!(
                    "expected names of the hub, found '{part}'"
                )));
            }
        }
        Ok(Self {
            repository: format!("{organisation}/{name}"),
            revision: revision.to_owned(),
            path: path.to_owned(),
        })
    }

    /// The same as it is typed, with the revision.
    pub(super) fn name(&self) -> String {
        format!("{}@{}/{}", self.repository, self.revision, self.path)
    }

    /// A file name that no other file of the hub has, but for its revision.
    pub(super) fn stem(&self) -> String {
        let (stem, _) = self.path.rsplit_once('.').unwrap_or((&self.path, ""));
        format!("{}--{}", self.repository, stem).replace('/', "--")
    }

    /// Its name below `.downloads`.
    pub(super) fn file(&self) -> String {
        let (repository, revision, path) = (&self.repository, &self.revision, &self.path);
        format!("{repository}--{revision}--{path}").replace('/', "--")
    }

    /// Its address.
    pub(super) fn url(&self, hub: &Hub) -> String {
        let endpoint = hub.endpoint.trim_end_matches('/');
        let (repository, revision, path) = (&self.repository, &self.revision, &self.path);
        format!("{endpoint}/{repository}/resolve/{revision}/{path}")
    }

    /// The file in the cache of the hub's own tools, if it is there.
    pub(super) fn cached(&self, hub: &Hub) -> Option<PathBuf> {
        let folder = format!("models--{}", self.repository.replace('/', "--"));
        let folder = hub.cache.as_ref()?.join(folder);
        let commit = fs::read_to_string(folder.join("refs").join(&self.revision)).ok();
        let revisions = [
            Some(self.revision.as_str()),
            commit.as_deref().map(str::trim),
        ];
        let snapshots = folder.join("snapshots");
        revisions
            .into_iter()
            .flatten()
            .filter(|revision| !revision.is_empty())
            .map(|revision| snapshots.join(revision).join(&self.path))
            .find(|path| path.is_file())
    }

    /// The SHA-256 that the hub has for a large file; it says so before it sends elsewhere for the bytes.
    ///
    /// # Errors
    /// If the hub cannot be reached in the job's patience, or refuses.
    pub(super) fn published(&self, hub: &Hub, job: &Job) -> Result<Option<String>> {
        let url = self.url(hub);
        let request = Request {
            url: &url,
            token: hub.token.as_deref(),
            job,
        };
        let agent = request.agent();
        let mut attempts = Attempts::of(&url, job);
        loop {
            job.stop.check()?;
            match linked(&request, &agent) {
                Ok(digest) => return Ok(digest),
                Err(failure) => attempts.pause_after(failure)?,
            }
        }
    }
}

/// One question for the SHA-256 of a large file. Only an answer about the file says that it has none.
fn linked(request: &Request<'_>, agent: &Agent) -> Result<Option<String>, Failure> {
    let answer = request.head(agent)?;
    let (status, headers) = (answer.status(), answer.headers());
    // A mirror may not know this kind of question.
    if status == StatusCode::METHOD_NOT_ALLOWED {
        return Ok(None);
    }
    if !status.is_success() && !status.is_redirection() {
        return Err(Failure::of_status(request.url, status, headers));
    }
    let tag = text(headers, "x-linked-etag").map(|tag| tag.trim_matches('"'));
    Ok(tag.filter(|tag| is_sha256(tag)).map(str::to_owned))
}

/// The SHA-256 of a large file in the cache: its name behind the link.
pub(super) fn blob_name(cached: &Path) -> Option<String> {
    let blob = cached.canonicalize().ok()?;
    let name = blob.file_name()?.to_str()?;
    is_sha256(name).then(|| name.to_owned())
}

fn is_sha256(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hub(cache: Option<&Path>) -> Hub {
        Hub {
            cache: cache.map(PathBuf::from),
            ..Hub::default()
        }
    }

    #[test]
    fn files_of_the_hub_are_read() {
        let file = HubFile::parse("timm/resnet50.a1_in1k/model.safetensors").unwrap();
        assert_eq!(
            file.url(&hub(None)),
            "https://huggingface.co/timm/resnet50.a1_in1k/resolve/main/model.safetensors"
        );
        assert_eq!(file.stem(), "timm--resnet50.a1_in1k--model");
        let file = HubFile::parse("o/n@v1/a/b.bin").unwrap();
        assert_eq!(
            (file.revision.as_str(), file.path.as_str()),
            ("v1", "a/b.bin")
        );
        assert_eq!(file.file(), "o--n--v1--a--b.bin");
        for bad in [
            "", "a", "a/b", "a/b/", "a/b/../c", "a/b@/c", "../a/b", "a/b/c?d",
        ] {
            HubFile::parse(bad).unwrap_err();
        }
    }

    #[test]
    fn the_cache_is_looked_through() {
        let folder = tempfile::tempdir().unwrap();
        let file = HubFile::parse("o/n/a/b.bin").unwrap();
        let hub = hub(Some(folder.path()));
        assert_eq!(file.cached(&hub), None);
        let model = folder.path().join("models--o--n");
        let place = model.join("snapshots/0123/a/b.bin");
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        fs::write(&place, "x").unwrap();
        assert_eq!(file.cached(&hub), None, "nothing says which commit main is");
        fs::create_dir_all(model.join("refs")).unwrap();
        fs::write(model.join("refs/main"), "0123").unwrap();
        assert_eq!(file.cached(&hub), Some(place));
    }
}
