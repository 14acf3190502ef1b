//! A theme for SDDM in QML that needs nothing but QtQuick and what SDDM brings: any further
//! module may be missing, and then there is no login screen at all.
//!
//! Theme-API 2.0, for SDDM 0.19 with Qt 5.15 and 0.21 with Qt 6. Source: SDDM's `docs/` and its
//! theme `maldives`.

use crate::{
    Brand, Rect, TreeFile, backdrop,
    desktop::wallpaper,
    escape::{double_quoted, key_file},
    lockup::{self, Room},
    palette::Palette,
    png, typeset,
};

/// Name of the theme and of its folder.
pub const THEME: &str = "brand";

const FOLDER: &str = "/usr/share/sddm/themes/brand";

/// Size of the background's file, which is scaled to cover the screen.
const BACKGROUND: (u32, u32) = (1920, 1080);

/// Screens of this size show everything at its own size; on others it is scaled.
const DESIGN: (f32, f32) = (1280.0, 800.0);
const SCALES: (f32, f32) = (0.6, 3.0);
const SHARP: u32 = 2;

const LOCKUP_WIDTH: u32 = 640;
const LOCKUP_MIDDLE: f32 = 0.27;
const CARD_TOP: f32 = 0.46;
pub(super) const CARD_WIDTH: f32 = 360.0;
pub(super) const CARD_HEIGHT: f32 = 196.0;
pub(super) const CARD_RADIUS: f32 = 16.0;
pub(super) const PAD: f32 = 28.0;
pub(super) const USER_SIZE: f32 = 19.0;
pub(super) const FIELD_TOP: f32 = 68.0;
pub(super) const FIELD_HEIGHT: f32 = 44.0;
pub(super) const FIELD_RADIUS: f32 = 10.0;
pub(super) const BUTTON_TOP: f32 = 124.0;
pub(super) const TEXT_SIZE: f32 = 15.0;
pub(super) const CLOCK_SIZE: f32 = 17.0;
pub(super) const EDGE: f32 = 24.0;

/// How much of the background covers the picture inside the card.
pub(super) const CARD_COVER: f32 = 0.72;

/// Where things stand on a screen of one size, in pixels.
#[derive(Debug, Clone, Copy)]
pub(super) struct Places {
    pub(super) unit: f32,
    pub(super) width: f32,
    pub(super) height: f32,
    pub(super) card: (f32, f32),
    pub(super) lockup_middle: f32,
}

impl Places {
    pub(super) fn on(width: u32, height: u32) -> Self {
        let (w, h) = (width as f32, height as f32);
        let unit = (w / DESIGN.0).min(h / DESIGN.1).clamp(SCALES.0, SCALES.1);
        Self {
            unit,
            width: w,
            height: h,
            card: ((w - CARD_WIDTH * unit) / 2.0, h * CARD_TOP),
            lockup_middle: h * LOCKUP_MIDDLE,
        }
    }

    /// Inside of the card, the clock and the row at the foot.
    pub(super) fn texts(self) -> Vec<Rect> {
        let at = |left: f32, top: f32, width: f32, height: f32| {
            Rect::new(left as i32, top as i32, width as i32, height as i32)
        };
        let unit = self.unit;
        vec![
            at(
                self.card.0,
                self.card.1,
                CARD_WIDTH * unit,
                (CARD_HEIGHT + 40.0) * unit,
            ),
            at(self.width - 160.0 * unit, 0.0, 160.0 * unit, 60.0 * unit),
            at(0.0, self.height - 60.0 * unit, self.width, 60.0 * unit),
        ]
    }
}

/// The lockup at twice its size.
pub(super) fn lockup(brand: &Brand) -> lockup::Lockup {
    lockup::draw(
        brand,
        Room {
            width: LOCKUP_WIDTH * SHARP,
            logo: 112 * SHARP,
            name: 40.0 * SHARP as f32,
            version: 16.0 * SHARP as f32,
            two_lines: true,
        },
    )
}

/// From the lockup's file to its size on the screen.
pub(super) fn lockup_scale(places: &Places) -> f32 {
    places.unit / SHARP as f32
}

pub(super) fn files(brand: &Brand) -> Vec<TreeFile> {
    let file = |name: &str, bytes: Vec<u8>| TreeFile::new(format!("{FOLDER}/{name}"), bytes);
    let (width, height) = BACKGROUND;
    let background = backdrop::paint(brand, width, height, LOCKUP_MIDDLE);
    let metadata = format!(
        "[SddmGreeterTheme]\nName={}\nDescription=The product's login screen\nType=sddm-theme\nVersion=1.0\nScreenshot=background.jpg\nMainScript=Main.qml\nConfigFile=theme.conf\nTheme-Id={THEME}\nTheme-API=2.0\nQtVersion=6\n",
        key_file(&brand.name)
    );
    vec![
        // live-config writes /etc/sddm.conf anew at each start; this one it leaves alone.
        TreeFile::new(
            "/etc/sddm.conf.d/50-brand.conf",
            format!("[Theme]\nCurrent={THEME}\n"),
        ),
        file("metadata.desktop", metadata.into_bytes()),
        file("theme.conf", b"[General]\n".to_vec()),
        file("Main.qml", qml(brand).into_bytes()),
        file("background.jpg", wallpaper::jpeg(&background)),
        file("lockup.png", png::encode(&lockup(brand).picture)),
        file("fonts/InterDisplay-Regular.otf", typeset::REGULAR.to_vec()),
        file(
            "fonts/InterDisplay-SemiBold.otf",
            typeset::SEMI_BOLD.to_vec(),
        ),
        file(
            "fonts/copyright",
            include_bytes!("../../fonts/Inter-copyright.txt").to_vec(),
        ),
    ]
}

fn qml(brand: &Brand) -> String {
    let palette = Palette::of(brand);
    let (design_width, design_height) = DESIGN;
    let (least, most) = SCALES;
    format!(
        r##"import QtQuick 2.15
import SddmComponents 2.0

Rectangle {{
    id: screen

    readonly property real unit: Math.max({least}, Math.min({most}, width / {design_width}, height / {design_height}))
    readonly property color ink: "{text}"
    readonly property color ground: "{ground}"
    readonly property color accent: "{accent}"
    readonly property color accentInk: "{on_accent}"
    property int session: sessionModel.lastIndex
    property int user: Math.max(0, userModel.lastIndex)
    property string typed: ""
    property string failure: ""
    readonly property bool listed: userModel.count > 0 && userModel.count <= 12

    width: {design_width}
    height: {design_height}
    color: ground
    LayoutMirroring.enabled: Qt.locale().textDirection === Qt.RightToLeft
    LayoutMirroring.childrenInherit: true

    TextConstants {{ id: words }}
    FontLoader {{ id: regular; source: "fonts/InterDisplay-Regular.otf" }}
    FontLoader {{ source: "fonts/InterDisplay-SemiBold.otf" }}

    Repeater {{
        id: users
        model: userModel
        Item {{
            visible: false
            readonly property string login: model.name
            readonly property string shown: model.realName !== "" ? model.realName : model.name
        }}
    }}

    Repeater {{
        id: sessions
        model: sessionModel
        Item {{
            visible: false
            readonly property string shown: model.name
        }}
    }}

    function loginName() {{
        if (!listed) return typed
        const item = users.itemAt(user)
        return item ? item.login : ""
    }}

    function enter() {{
        failure = ""
        sddm.login(loginName(), password.text, session)
    }}

    Connections {{
        target: sddm
        function onLoginFailed() {{
            password.text = ""
            screen.failure = words.loginFailed
            password.forceActiveFocus()
        }}
    }}

    Image {{
        anchors.fill: parent
        source: "background.jpg"
        fillMode: Image.PreserveAspectCrop
        smooth: true
    }}

    Image {{
        source: "lockup.png"
        anchors.horizontalCenter: parent.horizontalCenter
        y: parent.height * {LOCKUP_MIDDLE} - height / 2
        width: sourceSize.width * screen.unit / {SHARP}
        height: sourceSize.height * screen.unit / {SHARP}
        smooth: true
        mipmap: true
    }}

    Rectangle {{
        anchors.fill: card
        radius: card.radius
        color: screen.ground
        opacity: {CARD_COVER}
    }}

    Rectangle {{
        id: card
        anchors.horizontalCenter: parent.horizontalCenter
        y: parent.height * {CARD_TOP}
        width: {CARD_WIDTH} * screen.unit
        height: {CARD_HEIGHT} * screen.unit
        radius: {CARD_RADIUS} * screen.unit
        color: "transparent"
        border.width: 1
        border.color: Qt.rgba(screen.ink.r, screen.ink.g, screen.ink.b, 0.16)

        Text {{
            visible: screen.listed
            anchors.horizontalCenter: parent.horizontalCenter
            y: {PAD} * screen.unit - 4
            width: parent.width - 4 * {PAD} * screen.unit
            horizontalAlignment: Text.AlignHCenter
            elide: Text.ElideRight
            textFormat: Text.PlainText
            font.family: regular.name
            font.weight: Font.DemiBold
            font.pixelSize: {USER_SIZE} * screen.unit
            color: screen.ink
            text: {{
                const item = users.itemAt(screen.user)
                return users.count > 0 && item ? item.shown : ""
            }}
        }}

        Repeater {{
            model: screen.listed && userModel.count > 1 ? [-1, 1] : []
            Text {{
                y: {PAD} * screen.unit - 8
                x: modelData < 0 ? {PAD} * screen.unit : card.width - {PAD} * screen.unit - width
                text: modelData < 0 ? "‹" : "›"
                font.family: regular.name
                font.pixelSize: 26 * screen.unit
                color: screen.ink
                MouseArea {{
                    anchors.fill: parent
                    anchors.margins: -8
                    onClicked: screen.user = (screen.user + modelData + userModel.count) % userModel.count
                }}
            }}
        }}

        TextInput {{
            id: account
            visible: !screen.listed
            anchors.horizontalCenter: parent.horizontalCenter
            y: {PAD} * screen.unit - 4
            width: parent.width - 2 * {PAD} * screen.unit
            horizontalAlignment: TextInput.AlignHCenter
            font.family: regular.name
            font.pixelSize: {USER_SIZE} * screen.unit
            color: screen.ink
            clip: true
            focus: !screen.listed
            onTextChanged: screen.typed = text
            KeyNavigation.tab: password
            onAccepted: password.forceActiveFocus()
            Text {{
                anchors.centerIn: parent
                visible: parent.text === ""
                opacity: 0.6
                font: parent.font
                color: screen.ink
                text: words.promptUser
            }}
        }}

        Rectangle {{
            id: field
            anchors.horizontalCenter: parent.horizontalCenter
            y: {FIELD_TOP} * screen.unit
            width: parent.width - 2 * {PAD} * screen.unit
            height: {FIELD_HEIGHT} * screen.unit
            radius: {FIELD_RADIUS} * screen.unit
            color: Qt.rgba(screen.ink.r, screen.ink.g, screen.ink.b, 0.1)
            border.width: password.activeFocus ? 2 : 1
            border.color: password.activeFocus ? screen.accent : Qt.rgba(screen.ink.r, screen.ink.g, screen.ink.b, 0.25)

            TextInput {{
                id: password
                anchors.fill: parent
                anchors.leftMargin: 14 * screen.unit
                anchors.rightMargin: 14 * screen.unit
                verticalAlignment: TextInput.AlignVCenter
                echoMode: TextInput.Password
                font.family: regular.name
                font.pixelSize: {TEXT_SIZE} * screen.unit
                color: screen.ink
                selectionColor: screen.accent
                selectedTextColor: screen.accentInk
                clip: true
                focus: screen.listed
                onAccepted: screen.enter()
                Keys.onUpPressed: if (screen.listed) screen.user = (screen.user + userModel.count - 1) % userModel.count
                Keys.onDownPressed: if (screen.listed) screen.user = (screen.user + 1) % userModel.count
            }}

            Text {{
                anchors.left: password.left
                anchors.verticalCenter: parent.verticalCenter
                visible: password.text === ""
                opacity: 0.6
                font.family: regular.name
                font.pixelSize: {TEXT_SIZE} * screen.unit
                color: screen.ink
                text: words.password
            }}
        }}

        Rectangle {{
            anchors.horizontalCenter: parent.horizontalCenter
            y: {BUTTON_TOP} * screen.unit
            width: field.width
            height: field.height
            radius: field.radius
            color: press.containsMouse ? Qt.lighter(screen.accent, 1.08) : screen.accent
            Accessible.role: Accessible.Button
            Accessible.name: words.login

            Text {{
                anchors.centerIn: parent
                font.family: regular.name
                font.weight: Font.DemiBold
                font.pixelSize: {TEXT_SIZE} * screen.unit
                color: screen.accentInk
                text: words.login
            }}

            MouseArea {{
                id: press
                anchors.fill: parent
                hoverEnabled: true
                onClicked: screen.enter()
            }}
        }}
    }}

    Text {{
        anchors.horizontalCenter: parent.horizontalCenter
        anchors.top: card.bottom
        anchors.topMargin: 14 * screen.unit
        font.family: regular.name
        font.pixelSize: {TEXT_SIZE} * screen.unit
        color: screen.ink
        text: screen.failure !== "" ? screen.failure : (keyboard.capsLock ? words.capslockWarning : "")
    }}

    Text {{
        id: clock
        anchors.right: parent.right
        anchors.top: parent.top
        anchors.margins: {EDGE} * screen.unit
        font.family: regular.name
        font.weight: Font.DemiBold
        font.pixelSize: {CLOCK_SIZE} * screen.unit
        color: screen.ink
        function tick() {{ text = Qt.formatTime(new Date(), Qt.locale().timeFormat(Locale.ShortFormat).replace(":ss", "")) }}
        Timer {{
            interval: 1000
            repeat: true
            running: true
            triggeredOnStart: true
            onTriggered: clock.tick()
        }}
    }}

    Text {{
        anchors.left: parent.left
        anchors.bottom: parent.bottom
        anchors.margins: {EDGE} * screen.unit
        visible: sessions.count > 1
        font.family: regular.name
        font.pixelSize: {TEXT_SIZE} * screen.unit
        color: screen.ink
        textFormat: Text.PlainText
        text: {{
            const item = sessions.itemAt(screen.session)
            return sessions.count > 0 && item ? item.shown + "  ›" : ""
        }}
        MouseArea {{
            anchors.fill: parent
            anchors.margins: -8
            onClicked: screen.session = (screen.session + 1) % sessions.count
        }}
    }}

    Row {{
        anchors.right: parent.right
        anchors.bottom: parent.bottom
        anchors.margins: {EDGE} * screen.unit
        spacing: 28 * screen.unit

        Repeater {{
            model: [
                {{ "shown": sddm.canReboot, "label": words.reboot, "off": false }},
                {{ "shown": sddm.canPowerOff, "label": words.shutdown, "off": true }}
            ]
            Text {{
                visible: modelData.shown
                font.family: regular.name
                font.pixelSize: {TEXT_SIZE} * screen.unit
                color: screen.ink
                text: modelData.label
                Accessible.role: Accessible.Button
                MouseArea {{
                    anchors.fill: parent
                    anchors.margins: -8
                    onClicked: modelData.off ? sddm.powerOff() : sddm.reboot()
                }}
            }}
        }}
    }}

    Accessible.name: {name}
    Component.onCompleted: (listed ? password : account).forceActiveFocus()
}}
"##,
        text = brand.text,
        ground = brand.background,
        accent = palette.accent,
        on_accent = palette.on_accent,
        name = double_quoted(&brand.name),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_property_is_called_like_a_handler() {
        let qml = qml(&Brand::sample());
        for line in qml.lines().filter(|line| line.contains("property ")) {
            let name = line
                .split(':')
                .next()
                .and_then(|head| head.split_whitespace().last())
                .unwrap_or_default();
            // `onSomething` is what handles a signal; a property of that name is an error.
            let handler = name
                .strip_prefix("on")
                .is_some_and(|rest| rest.starts_with(char::is_uppercase));
            assert!(!handler, "{line}");
        }
        for (open, close) in [('{', '}'), ('(', ')'), ('[', ']')] {
            assert_eq!(qml.matches(open).count(), qml.matches(close).count());
        }
    }
}
