//! Capabilities: which ones a process may ever have.
#![allow(unsafe_code)]

use std::io;

/// The newest layout of capability sets: two words of 32 (`linux/capability.h`,
/// `_LINUX_CAPABILITY_VERSION_3`).
const VERSION: u32 = 0x2008_0522;

/// The last capability that every supported kernel knows (`CAP_SETFCAP`).
const ALWAYS_KNOWN: libc::c_ulong = 31;

#[repr(C)]
struct Header {
    version: u32,
    pid: i32,
}

#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Set {
    effective: u32,
    permitted: u32,
    inheritable: u32,
}

/// Takes every capability but `kept` out of the bounding set, so that no program that is
/// started later can gain it (capabilities(7)). Needs `CAP_SETPCAP`.
pub(crate) fn bound(kept: &[libc::c_ulong]) -> io::Result<()> {
    for capability in 0.. {
        if kept.contains(&capability) {
            continue;
        }
        // SAFETY: prctl(PR_CAPBSET_DROP) takes plain integers and touches no memory of ours.
        if unsafe { libc::prctl(libc::PR_CAPBSET_DROP, capability, 0, 0, 0) } == 0 {
            continue;
        }
        let error = io::Error::last_os_error();
        return match error.raw_os_error() {
            // One past the last capability that this kernel knows.
            Some(libc::EINVAL) if capability > ALWAYS_KNOWN => Ok(()),
            _ => Err(error),
        };
    }
    Ok(())
}

/// Gives up every capability but `kept` at once, whatever the bounding set allows.
pub(crate) fn keep(kept: &[libc::c_ulong]) -> io::Result<()> {
    // SAFETY: prctl(PR_CAP_AMBIENT) takes plain integers and touches no memory of ours.
    let cleared = unsafe {
        libc::prctl(
            libc::PR_CAP_AMBIENT,
            libc::PR_CAP_AMBIENT_CLEAR_ALL,
            0,
            0,
            0,
        )
    };
    if cleared != 0 {
        return Err(io::Error::last_os_error());
    }
    let have = effective()?;
    let header = Header {
        version: VERSION,
        pid: 0,
    };
    let mut sets = [Set::default(); 2];
    for (word, set) in sets.iter_mut().enumerate() {
        let mask = kept
            .iter()
            .filter(|capability| **capability / 32 == word as libc::c_ulong)
            .fold(0_u32, |mask, capability| mask | 1 << (capability % 32));
        // No set may grow: what is asked for may be more than there is.
        set.permitted = mask & have[word].permitted;
        set.effective = set.permitted;
    }
    // SAFETY: header and sets have the layout that the kernel asks for with this version, and
    // outlive the call.
    match unsafe { libc::syscall(libc::SYS_capset, &header, sets.as_ptr()) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

fn effective() -> io::Result<[Set; 2]> {
    let header = Header {
        version: VERSION,
        pid: 0,
    };
    let mut sets = [Set::default(); 2];
    // SAFETY: as in `keep`; the kernel writes two sets with this version.
    match unsafe { libc::syscall(libc::SYS_capget, &header, sets.as_mut_ptr()) } {
        0 => Ok(sets),
        _ => Err(io::Error::last_os_error()),
    }
}
