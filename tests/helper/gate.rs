//! P5: everything that can be called, found by looking, is refused to whoever may do nothing,
//! but for a short list.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail, ensure};
use isosmith_tests::{Fault, Kit, made::Made};
use libtest_mimic::Trial;

use super::trial;
use crate::{
    asks::{Arg, Ask, Reply},
    caller::{Caller, done, is_one_of, refused},
    client::HELPER,
    people::{ALICE, CAROL},
    world::{Request, World, folder},
};

pub fn trials(kit: &Kit) -> Vec<Trial> {
    vec![trial(kit, "gate::closed_by_default", closed_by_default)]
}

/// Every method of the interface, with the types of its arguments and answer.
const METHODS: &[(&str, &str, &str)] = &[
    ("Start", "sa(sh)ha{sv}", "s"),
    ("Resume", "sh", ""),
    ("Attach", "st", "h"),
    ("Cancel", "s", ""),
    ("Answer", "sus", ""),
    ("List", "b", "a(ssstu)"),
    ("Describe", "s", "a{sv}"),
    ("Clean", "sb", "t"),
    ("Version", "", "uus"),
];

const PROPERTIES: &[(&str, &str)] = &[("Version", "s"), ("Isolation", "s"), ("Busy", "b")];

/// What anybody may call: it tells nothing about anybody's builds.
const OPEN: &[(&str, &str)] = &[
    (HELPER, "Version"),
    ("org.freedesktop.DBus.Peer", "Ping"),
    ("org.freedesktop.DBus.Peer", "GetMachineId"),
    ("org.freedesktop.DBus.Introspectable", "Introspect"),
    ("org.freedesktop.DBus.Properties", "Get"),
    ("org.freedesktop.DBus.Properties", "GetAll"),
];

/// An interface as the helper describes it.
#[derive(Debug, Default)]
struct Interface {
    /// Types in and out by method.
    methods: BTreeMap<String, (String, String)>,
    /// Type and access by property.
    properties: BTreeMap<String, (String, String)>,
}

fn closed_by_default(kit: &Kit) -> Result<()> {
    let world = World::real(kit, "gate")?;
    let slow = Made::new("slow", "1").file("/usr/share/slow", &"slow\n".repeat(4000), 0o644);
    let small = world.small(kit, &[slow])?;
    // Alice's build waits for a package as long as the test wants it to.
    small.server.fault("/pool/slow_", Fault::Stall(100));
    let profile = small.profile_with("gate", "", &["slow"], "")?;
    let request = Request::of(&small, &profile)?;
    let alice = world.caller(ALICE)?;
    let id = request.start(&alice, &world.folder_in_home(ALICE, "out")?)?;
    alice.await_state(&id, "running")?;

    let carol = world.caller(CAROL)?;
    let interfaces = introspect(&carol)?;
    as_agreed(&interfaces)?;
    let out = world.folder_in_home(CAROL, "out")?;
    let mut wrong = Vec::new();
    for (name, interface) in &interfaces {
        for (method, (types, _)) in &interface.methods {
            if OPEN.contains(&(name.as_str(), method.as_str())) {
                continue;
            }
            for args in arguments(name, method, types, &id, &request, &out)? {
                let told = format!("{name}.{method}({args:?})");
                let reply = carol.ask(Ask::CallOf {
                    interface: name.clone(),
                    method: method.clone(),
                    args,
                })?;
                if let Err(error) = is_denied(name, reply) {
                    wrong.push(format!("{told}: {error:#}"));
                }
            }
        }
    }
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));

    // Her own list is hers to see, and empty.
    ensure!(carol.list(false)?.is_empty());
    for (property, kind) in PROPERTIES {
        let value = done(carol.ask(get(property))?)?;
        let fits = match *kind {
            "s" => value.is_string(),
            "b" => value.is_boolean(),
            other => bail!("no such type {other}"),
        };
        ensure!(fits, "{property} is {value}");
    }
    ensure!(
        done(carol.ask(get("Isolation"))?)?
            .as_str()
            .is_some_and(|mode| ["namespace", "hybrid", "traditional"].contains(&mode))
    );
    ensure!(done(carol.ask(get("Busy"))?)? == true, "it is not busy");
    let (epoch, revision) = (isosmith_protocol::EPOCH, isosmith_protocol::REVISION);
    let version = carol.done("Version", vec![])?;
    ensure!(version[0] == epoch && version[1] == revision, "{version}");

    // Nothing of all this has touched Alice's build.
    ensure!(alice.state(&id)? == "running");
    small.server.heal();
    crate::world::succeeded(&alice.events(&id, 0)?)?;
    drop((alice, carol));
    world.end()
}

fn get(property: &str) -> Ask {
    Ask::CallOf {
        interface: "org.freedesktop.DBus.Properties".to_owned(),
        method: "Get".to_owned(),
        args: vec![Arg::Text(HELPER.to_owned()), Arg::Text(property.to_owned())],
    }
}

/// Calls that would be worth something if they were done.
fn arguments(
    interface: &str,
    method: &str,
    types: &str,
    id: &str,
    request: &Request,
    out: &std::path::Path,
) -> Result<Vec<Vec<Arg>>> {
    let text = |text: &str| Arg::Text(text.to_owned());
    let known = match (interface, method) {
        (HELPER, "Start") => vec![request.args(folder(out))],
        (HELPER, "Resume") => vec![vec![text(id), Arg::Descriptor(folder(out))]],
        (HELPER, "Attach") => vec![vec![text(id), Arg::U64(0)]],
        (HELPER, "Cancel" | "Describe") => vec![vec![text(id)]],
        (HELPER, "Answer") => vec![vec![text(id), Arg::U32(1), text("stop")]],
        (HELPER, "List") => vec![vec![Arg::Bool(true)]],
        (HELPER, "Clean") => ["leftovers", "unused", "everything"]
            .iter()
            .flat_map(|what| [true, false].map(|dry| vec![text(what), Arg::Bool(dry)]))
            .collect(),
        ("org.freedesktop.DBus.Properties", "Set") => PROPERTIES
            .iter()
            .map(|(property, kind)| {
                let value = Arg::Any(Box::new(Arg::OfType((*kind).to_owned())));
                vec![text(HELPER), text(property), value]
            })
            .collect(),
        // Whatever is there that nobody has told the tests about must be shut as well.
        _ => vec![single_types(types)?.into_iter().map(Arg::OfType).collect()],
    };
    Ok(known)
}

/// A list of types, one by one.
fn single_types(types: &str) -> Result<Vec<String>> {
    use zbus::zvariant::Signature;

    if types.is_empty() {
        return Ok(Vec::new());
    }
    let all = crate::values::signature(&format!("({types})"))?;
    let Signature::Structure(fields) = all else {
        bail!("not a list of types: {types}");
    };
    Ok(fields.iter().map(ToString::to_string).collect())
}

fn is_denied(interface: &str, reply: Reply) -> Result<()> {
    let refusal = refused(reply)?;
    if interface == HELPER {
        return is_one_of(&refusal, &["NotAuthorised", "NoSuchBuild"]);
    }
    // Properties cannot be set by anybody, whatever the words for that are.
    ensure!(
        refusal.name.starts_with("org.freedesktop.DBus.Error.") || refusal.name == "NotAuthorised",
        "{refusal:?}"
    );
    Ok(())
}

/// The interface is the agreed one.
fn as_agreed(interfaces: &BTreeMap<String, Interface>) -> Result<()> {
    let ours = interfaces.get(HELPER).context("no interface of ours")?;
    for (name, types, answer) in METHODS {
        let found = ours
            .methods
            .get(*name)
            .with_context(|| format!("no method {name}"))?;
        ensure!(
            (found.0.as_str(), found.1.as_str()) == (*types, *answer),
            "{name} is {found:?}"
        );
    }
    for (name, kind) in PROPERTIES {
        let found = ours
            .properties
            .get(*name)
            .with_context(|| format!("no property {name}"))?;
        ensure!(
            (found.0.as_str(), found.1.as_str()) == (*kind, "read"),
            "{name} is {found:?}"
        );
    }
    Ok(())
}

fn introspect(caller: &Caller) -> Result<BTreeMap<String, Interface>> {
    let text = done(caller.ask(Ask::CallOf {
        interface: "org.freedesktop.DBus.Introspectable".to_owned(),
        method: "Introspect".to_owned(),
        args: vec![],
    })?)?;
    parse(text.as_str().context("no text")?)
}

/// Reads introspection data (D-Bus specification, "Introspection Data Format") as far as the
/// gate needs it: tags in order; nothing is nested deeper than arguments in methods.
fn parse(xml: &str) -> Result<BTreeMap<String, Interface>> {
    let mut found: BTreeMap<String, Interface> = BTreeMap::new();
    let (mut interface, mut member) = (String::new(), None);
    for tag in xml.split('<').skip(1) {
        let tag = tag.split('>').next().unwrap_or_default();
        let name = attribute(tag, "name");
        let kind = tag.split([' ', '/', '\n']).next().unwrap_or_default();
        match kind {
            "interface" => {
                interface = name.context("an interface without a name")?;
                found.entry(interface.clone()).or_default();
            }
            "method" => {
                let name = name.context("a method without a name")?;
                found
                    .entry(interface.clone())
                    .or_default()
                    .methods
                    .entry(name.clone())
                    .or_default();
                member = Some(name);
            }
            "signal" => member = None,
            "property" => {
                let name = name.context("a property without a name")?;
                let about = (
                    attribute(tag, "type").unwrap_or_default(),
                    attribute(tag, "access").unwrap_or_default(),
                );
                found
                    .entry(interface.clone())
                    .or_default()
                    .properties
                    .insert(name, about);
                member = None;
            }
            "arg" => {
                let Some(method) = &member else { continue };
                let types = attribute(tag, "type").context("an argument without a type")?;
                let entry = found
                    .entry(interface.clone())
                    .or_default()
                    .methods
                    .entry(method.clone())
                    .or_default();
                match attribute(tag, "direction").as_deref() {
                    Some("out") => entry.1.push_str(&types),
                    _ => entry.0.push_str(&types),
                }
            }
            _ => {}
        }
    }
    Ok(found)
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let at = tag.find(&format!(" {name}="))? + name.len() + 2;
    let rest = &tag[at..];
    let quote = rest.chars().next()?;
    Some(rest[1..].split(quote).next()?.to_owned())
}
