//! The interfaces that every object on the bus has (D-Bus specification, "Standard
//! Interfaces"). They tell nothing that is not the same for everybody.

use std::collections::HashMap;

use zbus::{Message, message::Header, zvariant::Value};

use super::Desk;
use crate::{
    bus::Bus,
    method::{INTERFACE, PATH, XML},
};

const INTROSPECTABLE: &str = "org.freedesktop.DBus.Introspectable";
const PEER: &str = "org.freedesktop.DBus.Peer";
const PROPERTIES: &str = "org.freedesktop.DBus.Properties";

const UNKNOWN_METHOD: &str = "org.freedesktop.DBus.Error.UnknownMethod";
const UNKNOWN_OBJECT: &str = "org.freedesktop.DBus.Error.UnknownObject";
const UNKNOWN_INTERFACE: &str = "org.freedesktop.DBus.Error.UnknownInterface";
const UNKNOWN_PROPERTY: &str = "org.freedesktop.DBus.Error.UnknownProperty";
const READ_ONLY: &str = "org.freedesktop.DBus.Error.PropertyReadOnly";
const INVALID_ARGS: &str = "org.freedesktop.DBus.Error.InvalidArgs";
const FAILED: &str = "org.freedesktop.DBus.Error.Failed";

/// Answers whatever is not a call of our own interface.
pub fn answer(desk: &Desk, call: &Message) {
    let header = call.header();
    let path = header.path().map(|path| path.as_str()).unwrap_or_default();
    let interface = header.interface().map(|name| name.as_str());
    let member = header
        .member()
        .map(|name| name.as_str())
        .unwrap_or_default();
    match (interface.unwrap_or_default(), member) {
        (PEER, "Ping") => desk.bus.reply(&header, &()),
        (PEER, "GetMachineId") => machine_id(desk, &header),
        (INTROSPECTABLE, "Introspect") => match introspection(path) {
            Some(xml) => desk.bus.reply(&header, &xml),
            None => desk.bus.fail(&header, UNKNOWN_OBJECT, "there is nothing"),
        },
        (PROPERTIES, _) if path == PATH => properties(desk, call, member),
        (INTERFACE | PROPERTIES, _) => desk.bus.fail(&header, UNKNOWN_OBJECT, "there is nothing"),
        (PEER | INTROSPECTABLE, _) => unknown_method(&desk.bus, &header),
        (_, _) => desk
            .bus
            .fail(&header, UNKNOWN_INTERFACE, "there is no such interface"),
    }
}

/// There is no method of that name.
pub fn unknown_method(bus: &Bus, call: &Header<'_>) {
    bus.fail(call, UNKNOWN_METHOD, "there is no such method");
}

fn machine_id(desk: &Desk, header: &Header<'_>) {
    match std::fs::read_to_string("/etc/machine-id") {
        Ok(id) => desk.bus.reply(header, &id.trim()),
        Err(_) => desk.bus.fail(header, FAILED, "this machine has no id"),
    }
}

/// The objects on the way to ours only name the next one.
fn introspection(path: &str) -> Option<String> {
    if path == PATH {
        let end = XML.find(END)?;
        return Some(format!("{}{STANDARD}{END}\n", &XML[..end]));
    }
    let head = &XML[..XML.find("<node")?];
    let below = PATH.strip_prefix(path.trim_end_matches('/'))?;
    let next = below.strip_prefix('/')?.split('/').next()?;
    Some(format!("{head}<node>\n  <node name=\"{next}\"/>\n{END}\n"))
}

const END: &str = "</node>";

const STANDARD: &str = r#"<interface name="org.freedesktop.DBus.Introspectable">
  <method name="Introspect">
    <arg name="xml" type="s" direction="out"/>
  </method>
</interface>
<interface name="org.freedesktop.DBus.Peer">
  <method name="Ping"/>
  <method name="GetMachineId">
    <arg name="id" type="s" direction="out"/>
  </method>
</interface>
<interface name="org.freedesktop.DBus.Properties">
  <method name="Get">
    <arg name="interface" type="s" direction="in"/>
    <arg name="property" type="s" direction="in"/>
    <arg name="value" type="v" direction="out"/>
  </method>
  <method name="GetAll">
    <arg name="interface" type="s" direction="in"/>
    <arg name="properties" type="a{sv}" direction="out"/>
  </method>
  <method name="Set">
    <arg name="interface" type="s" direction="in"/>
    <arg name="property" type="s" direction="in"/>
    <arg name="value" type="v" direction="in"/>
  </method>
  <signal name="PropertiesChanged">
    <arg name="interface" type="s"/>
    <arg name="changed" type="a{sv}"/>
    <arg name="invalidated" type="as"/>
  </signal>
</interface>
"#;

fn property(desk: &Desk, name: &str) -> Option<Value<'static>> {
    match name {
        "Version" => Some(env!("CARGO_PKG_VERSION").into()),
        "Isolation" => Some(super::methods::word_of(desk.isolation).into()),
        "Busy" => Some(desk.builds.running().into()),
        _ => None,
    }
}

fn properties(desk: &Desk, call: &Message, member: &str) {
    let header = call.header();
    let body = call.body();
    let wrong = || desk.bus.fail(&header, INVALID_ARGS, "wrong arguments");
    let ours = |interface: &str| interface == INTERFACE || interface.is_empty();
    match member {
        "Get" => match body.deserialize::<(&str, &str)>() {
            Ok((interface, name)) if ours(interface) => match property(desk, name) {
                Some(value) => desk.bus.reply(&header, &value),
                None => desk
                    .bus
                    .fail(&header, UNKNOWN_PROPERTY, "there is no such property"),
            },
            Ok(_) => desk
                .bus
                .fail(&header, UNKNOWN_INTERFACE, "there is no such interface"),
            Err(_) => wrong(),
        },
        "GetAll" => match body.deserialize::<&str>() {
            Ok(interface) => {
                let names: &[&str] = match ours(interface) {
                    true => &["Version", "Isolation", "Busy"],
                    false => &[],
                };
                let all: HashMap<&str, Value<'_>> = names
                    .iter()
                    .filter_map(|name| Some((*name, property(desk, name)?)))
                    .collect();
                desk.bus.reply(&header, &all);
            }
            Err(_) => wrong(),
        },
        "Set" => desk
            .bus
            .fail(&header, READ_ONLY, "no property can be changed"),
        _ => unknown_method(&desk.bus, &header),
    }
}

/// `PropertiesChanged` for `Busy`; the others never change.
pub fn tell_busy(bus: &Bus, busy: bool) {
    let changed = HashMap::from([("Busy", Value::from(busy))]);
    let body = (INTERFACE, changed, Vec::<&str>::new());
    bus.signal(None, PROPERTIES, "PropertiesChanged", &body);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_to_the_object_can_be_walked() {
        for (path, want) in [
            ("/", Some("<node name=\"org\"/>")),
            ("/org", Some("<node name=\"isosmith\"/>")),
            ("/org/isosmith", Some("<node name=\"Helper1\"/>")),
            (PATH, Some("<method name=\"Start\">")),
            ("/org/iso", None),
            ("/other", None),
            ("/org/isosmith/Helper1/x", None),
        ] {
            let xml = introspection(path);
            match want {
                Some(part) => assert!(xml.is_some_and(|xml| xml.contains(part)), "{path}"),
                None => assert_eq!(xml, None, "{path}"),
            }
        }
    }
}
