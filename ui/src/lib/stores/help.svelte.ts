/** The field that F1 explains. */
class Help {
  path = $state<string | null>(null);

  /** Explains the field that holds `element`, or stops explaining. */
  toggle(element: Element | null): boolean {
    const path = element?.closest('[data-field]')?.getAttribute('data-field') ?? null;
    this.path = path === this.path ? null : path;
    return path !== null;
  }
}

export const help = new Help();
