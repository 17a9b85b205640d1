use std::path::{Path, PathBuf};

/// Loads `.env` and `.keroxio/env` from the current folder or the nearest parent that has them;
/// variables already set win. Must run before any other thread exists.
pub fn load_env_files() {
    for name in [".env", ".keroxio/env"] {
        let found = std::env::current_dir().ok().and_then(|dir| find_up(&dir, name));
        if let Some(path) = found {
            // A line that does not parse is reported by whoever misses its variable.
            let _ = dotenvy::from_path(path);
        }
    }
}

/// The nearest `name` in `dir` or above it.
pub fn find_up(dir: &Path, name: &str) -> Option<PathBuf> {
    dir.ancestors().map(|parent| parent.join(name)).find(|path| path.is_file())
}
