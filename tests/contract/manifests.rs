//! What Cargo would build twice.

use std::path::PathBuf;

use classpay_local::binaries::workspace_root;
use toml::{Table, Value};

fn manifest(path: &str) -> Table {
    let text = std::fs::read_to_string(workspace_root().join(path)).unwrap();
    text.parse().unwrap()
}

/// The manifests of all members, as paths from the root.
fn members() -> Vec<String> {
    let root = manifest("Cargo.toml");
    let members = root["workspace"]["members"].as_array().unwrap().iter().map(|member| member.as_str().unwrap());
    let folders = members.flat_map(|member| match member.strip_suffix("/*") {
        Some(parent) => std::fs::read_dir(workspace_root().join(parent))
            .unwrap()
            .map(|entry| PathBuf::from(parent).join(entry.unwrap().file_name()))
            .collect(),
        None => vec![PathBuf::from(member)],
    });
    let manifests = folders.map(|folder| folder.join("Cargo.toml").to_str().unwrap().to_owned());
    manifests.filter(|path| workspace_root().join(path).is_file()).collect()
}

/// The dependencies of that kind, as each manifest declares them: the manifest, the name, the features.
fn dependencies(kind: &str) -> Vec<(String, String, Value)> {
    let of = |path: String| {
        let table = manifest(&path).remove(kind).unwrap_or_else(|| Table::new().into());
        let Value::Table(table) = table else { panic!("{path}: {kind} is no table") };
        table.into_iter().map(move |(name, about)| (path.clone(), name, about)).collect::<Vec<_>>()
    };
    members().into_iter().flat_map(of).collect()
}

#[test]
fn tests_choose_no_features_that_a_build_does_not() {
    let built = dependencies("dependencies");
    for (path, name, about) in dependencies("dev-dependencies") {
        let is_built = built.iter().any(|(_, other, others)| *other == name && *others == about);
        assert!(is_built, "{name} is a dependency of {path} for tests alone: declare it in tests/Cargo.toml");
    }
}
