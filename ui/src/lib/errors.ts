/**
 * The one table from an error's code to what the window offers. Words are in the messages:
 * `error.CODE.what`, `.why`, `.todo`. A test reads the codes from crates/protocol.
 */

/** What a button does about a failure. */
export type Action =
  | 'retry'
  | 'resume'
  | 'edit'
  | 'edit_mirrors'
  | 'edit_packages'
  | 'edit_repositories'
  | 'edit_scripts'
  | 'edit_compression'
  | 'choose_folder'
  | 'show_folder'
  | 'show_log'
  | 'copy_command'
  | 'copy_report'
  | 'history';

export interface ErrorRow {
  /** How it looks: a fault, something to mend, or nothing wrong at all. */
  tone: 'bad' | 'warn' | 'calm';
  /** The first is the one to press. */
  actions: readonly [Action, ...Action[]];
}

export const ERRORS = {
  not_allowed: { tone: 'warn', actions: ['retry', 'copy_command'] },
  not_authorised: { tone: 'warn', actions: ['retry', 'copy_command'] },
  prompt_dismissed: { tone: 'calm', actions: ['retry'] },
  access_denied: { tone: 'warn', actions: ['choose_folder', 'resume', 'copy_report'] },
  disk_full: { tone: 'warn', actions: ['resume', 'choose_folder', 'show_folder'] },
  mirror_unreachable: { tone: 'warn', actions: ['resume', 'edit_mirrors'] },
  download_failed: { tone: 'warn', actions: ['resume', 'edit_mirrors'] },
  file_missing_on_mirror: { tone: 'warn', actions: ['resume', 'edit_mirrors'] },
  hash_mismatch: { tone: 'warn', actions: ['resume', 'edit_mirrors', 'copy_report'] },
  bad_signature: { tone: 'bad', actions: ['edit_repositories', 'edit_mirrors', 'copy_report'] },
  release_expired: { tone: 'warn', actions: ['edit_mirrors', 'resume'] },
  clock_wrong: { tone: 'warn', actions: ['resume'] },
  package_unknown: { tone: 'warn', actions: ['edit_packages', 'edit_repositories'] },
  package_conflict: { tone: 'warn', actions: ['edit_packages', 'show_log'] },
  package_failed: { tone: 'bad', actions: ['show_log', 'edit_packages', 'copy_report'] },
  script_failed: { tone: 'warn', actions: ['edit_scripts', 'show_log'] },
  profile_invalid: { tone: 'warn', actions: ['edit'] },
  material_invalid: { tone: 'warn', actions: ['edit'] },
  not_in_image: { tone: 'warn', actions: ['edit', 'edit_packages'] },
  sandbox_failed: { tone: 'bad', actions: ['resume', 'copy_report'] },
  out_of_memory: { tone: 'warn', actions: ['resume', 'edit_compression'] },
  locked: { tone: 'warn', actions: ['retry', 'history'] },
  service_unavailable: { tone: 'bad', actions: ['retry', 'copy_command'] },
  queue_full: { tone: 'calm', actions: ['retry', 'history'] },
  too_many_requests: { tone: 'calm', actions: ['retry'] },
  no_such_build: { tone: 'calm', actions: ['history'] },
  wrong_state: { tone: 'calm', actions: ['history'] },
  cancelled: { tone: 'calm', actions: ['resume', 'edit'] },
  interrupted: { tone: 'warn', actions: ['resume', 'edit'] },
  command_missing: { tone: 'bad', actions: ['resume', 'copy_report'] },
  command_failed: { tone: 'bad', actions: ['show_log', 'copy_report', 'resume'] },
  image_invalid: { tone: 'bad', actions: ['copy_report', 'show_log'] },
  io: { tone: 'bad', actions: ['resume', 'choose_folder', 'copy_report'] },
  internal: { tone: 'bad', actions: ['copy_report', 'show_log'] },
  other: { tone: 'bad', actions: ['show_log', 'copy_report'] },
} as const satisfies Record<string, ErrorRow>;

export type ErrorCode = keyof typeof ERRORS;

/** The row of a code; a newer writer's code has the row of `other`. */
export const knownCode = (code: string): ErrorCode =>
  Object.hasOwn(ERRORS, code) ? (code as ErrorCode) : 'other';

export const errorRow = (code: string): ErrorRow => ERRORS[knownCode(code)];
