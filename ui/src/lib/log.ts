/**
 * The log in memory: the newest lines up to a limit, and the ones among them that pass a
 * filter. Nothing here is reactive: lines arrive by the thousand, the page looks once per
 * frame.
 */

import type { Level, Stream } from './protocol.ts';

export interface LogLine {
  atMs: number;
  step: string;
  stream: Stream;
  level: Level;
  line: string;
}

export interface LogFilter {
  /** Lines that matter less are left out. */
  level: Level;
  /** Only this step's; null for all. */
  step: string | null;
  /** Only lines with this text, whatever its case. */
  text: string;
}

/** Lines kept in memory; the file on disk has all of them. */
export const MAX_LINES = 100_000;

const RANK: Record<Level, number> = { debug: 0, other: 0, info: 1, warn: 2, error: 3 };

export const everything: LogFilter = { level: 'debug', step: null, text: '' };

export class Log {
  /** Lines that have ever arrived. */
  total = 0;
  warnings = 0;
  errors = 0;
  readonly #limit: number;
  #lines: LogLine[] = [];
  /** The number of the first line in `#lines`. */
  #first = 0;
  #filter: LogFilter = everything;
  #needle = '';
  /** Numbers of the kept lines that pass the filter. */
  #matches: number[] = [];

  constructor(limit = MAX_LINES) {
    this.#limit = limit;
  }

  /** Lines that had to go from memory. */
  get dropped(): number {
    return this.#first;
  }

  /** How many lines pass the filter. */
  get length(): number {
    return this.#matches.length;
  }

  add(lines: readonly LogLine[]): void {
    for (const line of lines) {
      if (line.level === 'warn') this.warnings += 1;
      if (line.level === 'error') this.errors += 1;
      this.#lines.push(line);
      if (this.#passes(line)) this.#matches.push(this.total);
      this.total += 1;
    }
    // A tenth over the limit before anything moves, so that moving is rare.
    if (this.#lines.length > this.#limit * 1.1) this.#trim();
  }

  /** The matching lines from `start` to before `end`. */
  slice(start: number, end: number): LogLine[] {
    return this.#matches
      .slice(Math.max(0, start), Math.max(0, end))
      .map((number) => this.#lines[number - this.#first])
      .filter((line) => line !== undefined);
  }

  filter(by: LogFilter): void {
    this.#filter = by;
    this.#needle = by.text.toLowerCase();
    this.#matches = [];
    this.#lines.forEach((line, index) => {
      if (this.#passes(line)) this.#matches.push(this.#first + index);
    });
  }

  #passes(line: LogLine): boolean {
    return (
      RANK[line.level] >= RANK[this.#filter.level] &&
      (this.#filter.step === null || this.#filter.step === line.step) &&
      (this.#needle === '' || line.line.toLowerCase().includes(this.#needle))
    );
  }

  #trim(): void {
    const gone = this.#lines.length - this.#limit;
    this.#lines = this.#lines.slice(gone);
    this.#first += gone;
    const kept = this.#matches.findIndex((number) => number >= this.#first);
    this.#matches = kept < 0 ? [] : this.#matches.slice(kept);
  }
}
