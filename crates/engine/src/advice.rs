//! What to do about each code, when nobody closer to the matter knows better.

use isosmith_protocol::Code;

/// One sentence that tells a person what to do now.
pub const fn advice(code: Code) -> &'static str {
    match code {
        Code::NotAllowed => "Run isosmith as root, or set up subordinate ids for this user.",
        Code::NotAuthorised => {
            "Ask an administrator of this machine, or build without the service (`--direct`)."
        }
        Code::PromptDismissed => "Ask again and answer the question that appears.",
        Code::AccessDenied => {
            "Give the user who builds access to that path, then resume the build."
        }
        Code::DiskFull => {
            "Free some room (`isosmith clean` shows what can go) or choose another folder, then resume the build."
        }
        Code::MirrorUnreachable => {
            "Check the network connection and the mirror's address, then resume the build."
        }
        Code::DownloadFailed => "Resume the build later, or choose another mirror.",
        Code::FileMissingOnMirror => {
            "The mirror is out of step with its own index: resume the build later, or choose another mirror."
        }
        Code::HashMismatch => {
            "The file was damaged on its way or at the mirror: resume the build, or choose another mirror."
        }
        Code::BadSignature => {
            "Check the repository's address and the key that the profile names for it."
        }
        Code::ReleaseExpired => "Choose a mirror that is kept up to date, then resume the build.",
        Code::ClockWrong => "Set this machine's clock, then resume the build.",
        Code::PackageUnknown => "Correct the package's name, or add the repository that has it.",
        Code::PackageConflict => {
            "Take one of the packages that cannot be together out of the profile."
        }
        Code::PackageFailed => {
            "Read the last lines that the package printed; leaving it out avoids the failure."
        }
        Code::ScriptFailed => "Correct the profile's script, then build again.",
        Code::ProfileInvalid => {
            "Correct the profile; `isosmith check` lists everything that is wrong with it."
        }
        Code::MaterialInvalid => "Put a usable file where the profile says, or change the profile.",
        Code::NotInImage => "Correct the name, or add the package that brings it.",
        Code::SandboxFailed => {
            "Let the kernel make namespaces and overlay mounts for this user, then resume the build."
        }
        Code::OutOfMemory => {
            "Close other programs or lower the compression level, then resume the build."
        }
        Code::Locked => "Wait until the other run has ended, or stop it, then try again.",
        Code::ServiceUnavailable => {
            "See `systemctl status isosmith-helper`, or build without the service (`--direct`)."
        }
        Code::QueueFull => "Wait until one of the waiting builds has ended, or cancel one.",
        Code::TooManyRequests => "Wait a moment, then ask again.",
        Code::NoSuchBuild => "`isosmith builds` lists all there are.",
        Code::WrongState => "`isosmith builds` says how far the build is.",
        Code::Cancelled | Code::Interrupted => "Resume the build; what was finished is kept.",
        Code::CommandMissing => "Install the program that is missing, or report this.",
        Code::CommandFailed => {
            "Read the last lines that the program printed; please report it with the log."
        }
        Code::ImageInvalid => "Do not use this image; please report it with the log.",
        Code::Io => "Check the disk and the path, then resume the build.",
        Code::Internal => "This is a fault in Isosmith; please report it with the log.",
        Code::Other => "Read the log.",
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_code_has_one_sentence_of_advice() {
        for &code in Code::ALL {
            let text = advice(code);
            assert!(text.len() > 12 && text.ends_with('.'), "{code:?}: {text:?}");
        }
        let different: BTreeSet<_> = Code::ALL.iter().map(|&code| advice(code)).collect();
        assert!(
            different.len() + 1 >= Code::ALL.len(),
            "only Cancelled and Interrupted share theirs"
        );
    }
}
