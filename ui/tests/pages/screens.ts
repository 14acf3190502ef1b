import type { Page } from '@playwright/test';
import { describe, expect, open, profile, section } from './page.ts';

export interface Screen {
  name: string;
  /** Also in the sizes beside 1280×800. */
  main?: boolean;
  go: (page: Page, more: string) => Promise<void>;
}

const and = (...parts: string[]) => parts.filter((part) => part !== '').join('&');

async function build(page: Page, more: string): Promise<void> {
  await describe(page, more, 'Rescue');
  await page.getByRole('button', { name: 'Build', exact: true }).click();
  await expect(page.getByRole('heading', { level: 1, name: 'Branding' })).toHaveCount(0);
}

const openAll = async (page: Page) => {
  for (const one of await page.locator('main details > summary').all()) await one.click();
};

export const SCREENS: Screen[] = [
  { name: 'start', main: true, go: open },
  { name: 'start-first', go: (page, more) => open(page, and(more, 'fresh')) },
  {
    name: 'start-troubled',
    go: (page, more) => open(page, and(more, 'unsaved&service=no_agent')),
  },
  { name: 'branding', main: true, go: describe },
  {
    name: 'branding-own',
    main: true,
    go: async (page, more) => {
      await describe(page, more, 'Rescue');
      await page.getByLabel('Name', { exact: true }).fill('Aurora OS');
      await page.getByLabel('Background colour', { exact: true }).first().fill('#0b1f24');
      await page.getByRole('button', { name: 'Colour #1b9e8a' }).click();
      await page.getByRole('button', { name: 'Logo: Choose a file…' }).click();
      await page.getByRole('button', { name: 'Wallpaper: Choose a file…', exact: true }).click();
    },
  },
  {
    name: 'branding-warned',
    go: async (page, more) => {
      await describe(page, more);
      await page
        .getByLabel('Name', { exact: true })
        .fill('A product with a name that no boot menu can hold');
      await page.getByLabel('Text colour', { exact: true }).first().fill('#334');
      await page.getByLabel('Version', { exact: true }).fill('1.0 beta');
      await openAll(page);
    },
  },
  ...['Base', 'Region', 'Users', 'Kernel & boot', 'Image'].map((name) => ({
    name: name.toLowerCase().replace(/\W+/g, '-'),
    main: name === 'Base',
    go: async (page: Page, more: string) => {
      await describe(page, more, 'Rescue');
      await section(page, name);
    },
  })),
  ...['Desktop', 'Installer', 'AI helper', 'Security'].map((name) => ({
    name: name.toLowerCase().replace(/\W+/g, '-'),
    main: name === 'Desktop',
    go: async (page: Page, more: string) => {
      await describe(page, more, 'KDE');
      await section(page, name);
      if (name === 'AI helper') await page.getByRole('switch', { name }).click();
      await openAll(page);
    },
  })),
  {
    name: 'accounts',
    go: async (page, more) => {
      await describe(page, more, 'KDE');
      await section(page, 'Users');
      await openAll(page);
      await page.getByRole('button', { name: 'Add an account' }).click();
      await page.getByLabel('Login name').last().fill('kim');
    },
  },
  {
    name: 'base-all',
    go: async (page, more) => {
      await describe(page, more, 'Rescue');
      await section(page, 'Base');
      await openAll(page);
      await page.getByRole('button', { name: 'Add a repository' }).click();
      await page.getByLabel('Proxy').fill('not an address');
    },
  },
  {
    name: 'software',
    main: true,
    go: async (page, more) => {
      await describe(page, more, 'Rescue');
      await section(page, 'Software');
      await page.getByRole('combobox', { name: 'Search packages' }).fill('video');
      await expect(page.getByRole('option').first()).toBeVisible();
      await page.getByRole('option').nth(1).click();
    },
  },
  {
    name: 'software-offline',
    go: async (page, more) => {
      await describe(page, and(more, 'packages=offline'));
      await section(page, 'Software');
      await page.getByRole('combobox', { name: 'Search packages' }).fill('htopp');
      await page.getByRole('button', { name: 'Add “htopp” as it is' }).click();
    },
  },
  {
    name: 'files-scripts',
    go: async (page, more) => {
      await describe(page, more);
      await section(page, 'Files & scripts');
      await page.getByRole('button', { name: 'Add a file or folder' }).click();
      await page.getByRole('button', { name: 'Add a script' }).click();
      await page.getByRole('button', { name: 'Script: Choose a file…' }).click();
      await openAll(page);
    },
  },
  {
    name: 'spec',
    main: true,
    go: async (page, more) => {
      await describe(page, more, 'Rescue');
      await page.getByLabel('Name', { exact: true }).fill('Aurora OS');
      await page.getByRole('button', { name: 'Spec', exact: true }).click();
      await expect(page.getByRole('textbox', { name: 'Spec' })).toHaveValue(/Aurora OS/);
    },
  },
  {
    name: 'review',
    main: true,
    go: async (page, more) => {
      await describe(page, more, 'Rescue');
      await page.getByLabel('Name', { exact: true }).fill('Aurora OS');
      await section(page, 'Region');
      await page.getByLabel('Time zone').fill('Europe/Berlin');
      await section(page, 'Review');
    },
  },
  {
    name: 'review-problems',
    go: async (page, more) => {
      await describe(page, more, 'Rescue');
      await section(page, 'Kernel & boot');
      await openAll(page);
      await page.getByRole('switch', { name: 'Start on UEFI machines' }).click();
      await section(page, 'Users');
      await page.getByLabel('Login name').fill('root');
      await section(page, 'Review');
    },
  },
  {
    name: 'build',
    main: true,
    go: async (page, more) => {
      await build(page, and(more, 'at=88000&hold'));
      await expect(page.getByText('Unharmed')).toBeVisible();
    },
  },
  {
    name: 'build-log',
    go: async (page, more) => {
      await build(page, and(more, 'at=88000&hold'));
      await page.locator('details.log > summary').click();
      await expect(page.getByRole('log')).toBeVisible();
      await page.getByRole('log').scrollIntoViewIfNeeded();
    },
  },
  {
    name: 'build-question',
    go: async (page, more) => {
      await build(page, and(more, 'replay=question&speed=0'));
      await expect(page.getByRole('heading', { name: 'The build waits for you' })).toBeVisible();
    },
  },
  {
    name: 'build-session',
    go: async (page, more) => {
      await build(page, and(more, 'replay=session&at=88000&hold'));
      await expect(page.getByText('1 thing has changed')).toBeVisible();
    },
  },
  {
    name: 'build-cancel',
    go: async (page, more) => {
      await build(page, and(more, 'at=60000&hold'));
      await page.getByRole('button', { name: 'Cancel the build' }).click();
      await expect(page.getByRole('dialog')).toBeVisible();
    },
  },
  {
    name: 'build-refused',
    go: async (page, more) => {
      await describe(page, and(more, 'refuse=not_authorised'));
      await page.getByRole('button', { name: 'Build', exact: true }).click();
      await expect(page.getByText('Permission was not given')).toBeVisible();
    },
  },
  {
    name: 'result',
    main: true,
    go: async (page, more) => {
      await build(page, and(more, 'speed=0'));
      await expect(page.getByRole('heading', { level: 1, name: /is ready/ })).toBeVisible();
    },
  },
  {
    name: 'result-failed',
    main: true,
    go: async (page, more) => {
      await build(page, and(more, 'speed=0&end=disk_full'));
      await expect(
        page.getByRole('heading', { level: 1, name: /could not be built/ }),
      ).toBeVisible();
    },
  },
  {
    name: 'result-own-key',
    go: async (page, more) => {
      await open(page, more);
      await page.getByRole('button', { name: 'History' }).click();
      await page.getByRole('button', { name: 'Aurora OS 0.9' }).first().click();
      await expect(page.getByRole('heading', { name: 'Your key for Secure Boot' })).toBeVisible();
      await expect(page.getByText('EFI/keys/owner.cer')).toBeVisible();
    },
  },
  {
    name: 'history',
    main: true,
    go: async (page, more) => {
      await open(page, more);
      await page.getByRole('button', { name: 'History' }).click();
      await expect(page.getByRole('table')).toBeVisible();
    },
  },
  {
    name: 'compare',
    go: async (page, more) => {
      await open(page, more);
      await page.getByRole('button', { name: 'History' }).click();
      await page.getByRole('checkbox').nth(0).check();
      await page.getByRole('checkbox').nth(3).check();
      await page.getByRole('button', { name: 'Compare two builds' }).click();
      await expect(page.getByRole('table').first()).toBeVisible();
    },
  },
  {
    name: 'settings',
    go: async (page, more) => {
      await open(page, more);
      await page.getByRole('button', { name: 'Settings' }).click();
      await expect(page.getByRole('heading', { name: 'Settings' })).toBeVisible();
    },
  },
  {
    name: 'form-german',
    main: true,
    go: async (page, more) => {
      await open(page, more, 'de');
      await page.getByRole('button', { name: 'Mit Isosmith Rescue beginnen' }).click();
      await page.getByRole('button', { name: /^Kernel & Start/ }).click();
    },
  },
  {
    name: 'build-german',
    main: true,
    go: async (page, more) => {
      await open(page, and(more, 'at=88000&hold'), 'de');
      await page.getByRole('button', { name: 'Mit Isosmith Rescue beginnen' }).click();
      await page.getByRole('button', { name: 'Bauen' }).click();
      await expect(page.getByText('Unversehrt')).toBeVisible();
    },
  },
  {
    name: 'start-german',
    go: async (page, more) => {
      await open(page, more.replace('lang=en', ''), 'de');
      await expect(page.getByRole('heading', { level: 1, name: /Was möchten/ })).toBeVisible();
    },
  },
];

export { profile };
