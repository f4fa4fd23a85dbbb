//! Holds the walls between the crates, which Cargo alone does not: any crate could name any other.
//!
//! The crates are rooms in one straight chain, and each may use only those to its left. What `cargo metadata`
//! says of the workspace is read into [`Room`]s, and [`breaches`] names every broken rule. Dependencies of
//! tests and build scripts count like all others.

use std::process::Command;

/// From left to right.
const CHAIN: [&str; 6] = [
    "tillbox-core",
    "tillbox-engine",
    "tillbox-store",
    "tillbox-service",
    "tillbox-web",
    "tillbox",
];

/// What the core must never know: async, SQL, HTTP, randomness, wire formats.
const NEVER_IN_CORE: [&str; 10] = [
    "axum",
    "getrandom",
    "hyper",
    "rand",
    "reqwest",
    "rusqlite",
    "serde_json",
    "tokio",
    "tokio-postgres",
    "uuid",
];

/// Crates that only some rooms may use, in tests as well.
const RESERVED: [(&str, &[&str]); 2] = [
    ("rusqlite", &["tillbox-store"]),
    ("axum", &["tillbox-web", "tillbox"]),
];

/// One crate of the workspace, with its dependencies of every kind.
struct Room {
    name: String,
    dependencies: Vec<String>,
    features: Vec<String>,
}

/// One sentence for each broken rule, none when the walls hold.
fn breaches(rooms: &[Room]) -> Vec<String> {
    let mut breaches = Vec::new();
    for name in CHAIN {
        if rooms.iter().all(|room| room.name != name) {
            breaches.push(format!("{name} is missing from the workspace"));
        }
    }
    for room in rooms {
        let Some(place) = place_in_chain(&room.name) else {
            breaches.push(format!("{} is not in the chain", room.name));
            continue;
        };
        for feature in &room.features {
            breaches.push(format!("{} has the feature {feature}", room.name));
        }
        for dependency in &room.dependencies {
            let allowed_by_chain = place_in_chain(dependency).is_none_or(|other| other < place);
            let reserved = RESERVED
                .iter()
                .any(|(name, users)| name == dependency && !users.contains(&CHAIN[place]));
            let never_in_core = place == 0 && NEVER_IN_CORE.contains(&dependency.as_str());
            if !allowed_by_chain || reserved || never_in_core {
                breaches.push(format!("{} may not depend on {dependency}", room.name));
            }
        }
    }
    breaches
}

fn place_in_chain(name: &str) -> Option<usize> {
    CHAIN.iter().position(|room| *room == name)
}

/// The rooms as they stand in the manifests.
fn rooms_of_the_workspace() -> Vec<Room> {
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--no-deps",
            "--format-version",
            "1",
            "--offline",
        ])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    assert!(
        output.status.success(),
        "cargo metadata: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: serde_json::Value =
        serde_json::from_slice(&output.stdout).expect("metadata is JSON");
    let packages = metadata["packages"].as_array().expect("a list of packages");
    packages
        .iter()
        .map(|package| Room {
            name: package["name"].as_str().expect("a name").to_owned(),
            dependencies: package["dependencies"]
                .as_array()
                .expect("a list of dependencies")
                .iter()
                .map(|dependency| dependency["name"].as_str().expect("a name").to_owned())
                .collect(),
            features: package["features"]
                .as_object()
                .expect("a table of features")
                .keys()
                .cloned()
                .collect(),
        })
        .collect()
}

#[test]
fn each_crate_uses_only_those_to_its_left() {
    assert_eq!(breaches(&rooms_of_the_workspace()), Vec::<String>::new());
}

#[test]
fn every_broken_wall_is_named() {
    for (room, dependency) in [
        ("tillbox-core", "tillbox-engine"),
        ("tillbox-store", "tillbox-service"),
        ("tillbox-web", "tillbox"),
        ("tillbox-engine", "tillbox-engine"),
        ("tillbox-core", "tokio"),
        ("tillbox-core", "serde_json"),
        ("tillbox-service", "rusqlite"),
        ("tillbox", "rusqlite"),
        ("tillbox-service", "axum"),
    ] {
        let mut rooms = empty_rooms();
        room_named(room, &mut rooms)
            .dependencies
            .push(dependency.to_owned());
        assert_eq!(
            breaches(&rooms),
            [format!("{room} may not depend on {dependency}")]
        );
    }
}

#[test]
fn a_feature_of_our_own_is_named() {
    let mut rooms = empty_rooms();
    room_named("tillbox-web", &mut rooms)
        .features
        .push("fast".to_owned());
    assert_eq!(breaches(&rooms), ["tillbox-web has the feature fast"]);
}

#[test]
fn a_crate_too_many_and_one_too_few_are_named() {
    let mut rooms = empty_rooms();
    room_named("tillbox-service", &mut rooms).name = "tillbox-util".to_owned();
    assert_eq!(
        breaches(&rooms),
        [
            "tillbox-service is missing from the workspace",
            "tillbox-util is not in the chain"
        ],
    );
}

/// The whole chain, nobody using anything: no rule is broken.
fn empty_rooms() -> [Room; 6] {
    CHAIN.map(|name| Room {
        name: name.to_owned(),
        dependencies: Vec::new(),
        features: Vec::new(),
    })
}

fn room_named<'rooms>(name: &str, rooms: &'rooms mut [Room]) -> &'rooms mut Room {
    rooms
        .iter_mut()
        .find(|room| room.name == name)
        .expect("a room of the chain")
}
