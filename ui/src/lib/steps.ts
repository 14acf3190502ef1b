import { plain } from './format.ts';
import { maybe } from './i18n.svelte.ts';
import type { StepInfo } from './protocol.ts';

/** What a step does, in the window's language where that is known, else as the build says it. */
export const stepTitle = (info: Pick<StepInfo, 'id' | 'title'>): string =>
  maybe(`step.${info.id}`) ?? plain(info.title);
