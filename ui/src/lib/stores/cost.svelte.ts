/** The package whose cost is shown at the side. */

import type { PackageCost } from '../backend.ts';
import { app } from './app.svelte.ts';

class Cost {
  name = $state<string | null>(null);
  cost = $state.raw<PackageCost | null>(null);

  async look(draft: string, name: string): Promise<void> {
    if (this.name === name && this.cost) return;
    this.name = name;
    this.cost = null;
    const cost = await app.trying(() => app.backend.packageCost(draft, name));
    if (this.name === name) this.cost = cost ?? null;
  }
}

export const cost = new Cost();
