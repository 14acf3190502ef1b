// What people do: with the mouse, with the keyboard alone, and when things go wrong.
import { ERRORS } from '../../src/lib/errors.ts';
import en from '../../src/messages/en.json' with { type: 'json' };
import { describe, expect, noViolations, open, profile, section, test } from './page.ts';

const words = en as Record<string, string>;

test('from the start to an ISO in few clicks', async ({ page }) => {
  await describe(page, 'speed=60');
  await page.getByLabel('Name', { exact: true }).fill('Aurora OS');
  await expect(page.getByRole('img', { name: /Aurora OS/ })).toBeVisible();
  await expect(page.getByText('unsaved changes')).toBeVisible();
  await page.getByRole('button', { name: 'Build', exact: true }).click();
  await expect(
    page.getByRole('heading', { level: 1, name: 'Building Aurora OS 1.0' }),
  ).toBeVisible();
  await expect(page).toHaveTitle(/^\d+ % · Aurora OS 1\.0 · Isosmith$/);
  await expect(page.getByRole('heading', { level: 1, name: 'Aurora OS 1.0 is ready' })).toBeVisible(
    { timeout: 30_000 },
  );
  await expect(page).toHaveTitle('Isosmith');
  const check = page.getByRole('textbox', { name: 'Check a download' });
  await check.fill('0AB7F8D1A11DC134E77D9DFAD9D995D25BA2E87371A0DD7B0038A9752ABD1477  aurora.iso');
  await page.getByRole('button', { name: 'Compare with the file' }).click();
  await expect(page.getByText('It is the same')).toBeVisible();
  await check.fill('abc');
  await page.getByRole('button', { name: 'Compare with the file' }).click();
  await expect(page.getByText('This is no SHA-256')).toBeVisible();
});

test('a password is typed once, and its hash is kept', async ({ page }) => {
  await describe(page, 'speed=0');
  await section(page, 'Users');
  await page.getByRole('radio', { name: 'A password' }).first().check({ force: true });
  const typed = page.getByLabel('New password');
  await typed.fill('correct horse');
  await page.getByRole('button', { name: 'Use it' }).click();
  await expect(page.getByLabel('Hash of the password')).toHaveValue(/^\$6\$/);
  await expect(typed).toHaveValue('');
  await page.getByRole('button', { name: 'Spec' }).click();
  await expect(page.getByText('correct horse')).toHaveCount(0);
});

test('the same with the keyboard alone', async ({ page }) => {
  await open(page, 'speed=0');
  await page.keyboard.press('Tab');
  await expect(page.getByRole('link', { name: 'Skip to the content' })).toBeFocused();
  for (let i = 0; i < 8; i += 1) {
    await page.keyboard.press('Tab');
    if (await profile(page, 'Minimal').evaluate((one) => one === document.activeElement)) break;
  }
  await expect(profile(page, 'Minimal')).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { level: 1, name: 'Branding' })).toBeFocused();
  await page.keyboard.press('Tab');
  const name = page.getByLabel('Name', { exact: true });
  await expect(name).toBeFocused();
  await page.keyboard.press('F1');
  await expect(page.getByRole('note')).toContainText('branding.name');
  await page.keyboard.press('Control+A');
  await page.keyboard.type('Key OS');
  await expect(page.getByRole('banner')).toContainText('Key OS 1.0');
  await page.keyboard.press('Control+Z');
  await expect(name).toHaveValue('Isosmith Minimal');
  await page.keyboard.press('Control+Shift+Z');
  await expect(name).toHaveValue('Key OS');
  await page.keyboard.press('Control+S');
  await expect(page.getByText('unsaved changes')).toHaveCount(0);
  await page.keyboard.press('Control+Enter');
  await expect(page.getByRole('heading', { level: 1, name: 'Key OS 1.0 is ready' })).toBeVisible();
});

test('desktop, helper and security are chosen without a mouse', async ({ page }) => {
  await describe(page, '', 'Minimal');
  await section(page, 'Desktop');
  await page.getByRole('radio', { name: /^None/ }).first().focus();
  await page.keyboard.press('ArrowRight');
  await expect(page.getByRole('radio', { name: /^KDE Plasma/ })).toBeChecked();
  await expect(page.getByRole('radio', { name: /^Usual/ })).toBeChecked();
  await section(page, 'AI helper');
  await page.getByRole('switch', { name: 'AI helper' }).focus();
  await page.keyboard.press('Space');
  await expect(page.getByRole('combobox', { name: 'Model' })).toHaveValue('llama3.2');
  await page.getByRole('switch', { name: 'AI helper' }).press('Space');
  await expect(page.getByRole('combobox', { name: 'Model' })).toHaveCount(0);
  await section(page, 'Security');
  await page.getByRole('radio', { name: /^nftables/ }).check();
  await page.getByLabel('Add to Open ports').fill('22/tcp');
  await page.keyboard.press('Enter');
  await section(page, 'Review');
  await expect(page.getByRole('listitem').filter({ hasText: '22/tcp' })).toBeVisible();
});

test('every control of every section is reached by Tab, and has a name', async ({ page }) => {
  await describe(page, '', 'KDE');
  for (const name of [
    'Base',
    'Desktop',
    'Region',
    'Users',
    'Kernel & boot',
    'Installer',
    'AI helper',
    'Security',
    'Image',
    'Files & scripts',
  ]) {
    await section(page, name);
    if (name === 'AI helper') await page.getByRole('switch', { name }).click();
    const disclosures = page.locator('main details');
    for (const one of await disclosures.locator('> summary').all()) await one.click();
    await expect(disclosures.locator('> .fields')).toHaveCount(await disclosures.count());
    const controls = page.locator(
      '.form :is(button:enabled, input:enabled, select:enabled, textarea:enabled, summary):visible',
    );
    // Of radio buttons, one of each group is on the way of Tab.
    const count = await controls.evaluateAll(
      (all) =>
        all.filter((one) => !(one instanceof HTMLInputElement && one.type === 'radio')).length,
    );
    await page.getByRole('heading', { level: 1 }).focus();
    const seen = new Set<string>();
    for (let i = 0; i < count * 2 + 20; i += 1) {
      await page.keyboard.press('Tab');
      const at = await page.evaluate(() => {
        const one = document.activeElement;
        if (!one || !document.querySelector('main .form')?.contains(one)) return null;
        if (one instanceof HTMLInputElement && one.type === 'radio') return '';
        const all = [
          ...document.querySelectorAll('main :is(button, input, select, textarea, summary)'),
        ];
        return String(all.indexOf(one));
      });
      if (at === null) break;
      if (at !== '') seen.add(at);
    }
    expect(seen.size, name).toBe(count);
  }
});

test('a problem is told at its field, leads there, and its fix mends it', async ({ page }) => {
  await describe(page, '', 'Rescue');
  await section(page, 'Base');
  await page.getByRole('checkbox', { name: /^non-free-firmware/ }).uncheck();
  await expect(page.getByText('The firmware that you chose is in the area')).toBeVisible();
  await section(page, 'Region');
  await page.getByLabel('Host name').fill('Not A Name');
  const button = page.getByRole('button', { name: '2 problems to solve' });
  await expect(button).toBeVisible();
  await page.keyboard.press('Control+Enter');
  await expect(page.getByRole('heading', { level: 1, name: 'Review' })).toBeVisible();
  await page.getByRole('button', { name: 'Go there: Archive areas' }).click();
  await expect(page.getByRole('checkbox', { name: /^main/ })).toBeFocused();
  await page.getByRole('button', { name: 'Add non-free-firmware' }).click();
  await expect(page.getByRole('button', { name: '1 problem to solve' })).toBeVisible();
  await section(page, 'Region');
  await page.getByRole('button', { name: /^Host name: Back to the profile/ }).click();
  await expect(page.getByLabel('Host name')).toHaveValue('rescue');
  await expect(page.getByRole('button', { name: 'Build', exact: true })).toBeEnabled();
});

test('the text and the form are the same spec', async ({ page }) => {
  await describe(page, '', 'Rescue');
  await page.getByRole('button', { name: 'Spec', exact: true }).click();
  const text = page.getByRole('textbox', { name: 'Spec' });
  await text.fill('format = 1\nextends = "rescue"\n\n[region]\nhostname = "typed"\n');
  await expect(page.getByText('No problems')).toBeVisible();
  await text.fill('format = 1\nextends = "rescue"\n[region\n');
  await expect(page.getByRole('button', { name: '1 problem to solve' })).toBeVisible();
  await text.fill('format = 1\nextends = "rescue"\n[region]\nhostname = "typed"\nhostnam = "x"\n');
  await expect(page.getByText('There is no field “region.hostnam”.')).toBeVisible();
  await section(page, 'Region');
  await expect(page.getByRole('textbox', { name: 'Host name' })).toHaveValue('typed');
});

test('packages by keyboard: search, choose, take out, put back', async ({ page }) => {
  await describe(page, '', 'Rescue');
  await section(page, 'Software');
  const search = page.getByRole('combobox', { name: 'Search packages' });
  await search.fill('vlc');
  await expect(page.getByRole('option').first()).toContainText('vlc');
  await search.press('Enter');
  await expect(page.getByRole('button', { name: 'Remove vlc' })).toBeVisible();
  await expect(page.getByRole('heading', { name: 'What vlc brings along' })).toBeVisible();
  await search.press('Escape');
  await expect(search).toHaveValue('');
  await page.getByRole('button', { name: 'Remove htop' }).click();
  await page.getByRole('button', { name: /htop was taken out/ }).click();
  await expect(page.getByRole('button', { name: 'Remove htop' })).toBeVisible();
  await search.fill('htpo');
  await page.getByRole('button', { name: 'Add “htpo” as it is' }).click();
});

test('rows of lists can be added, filled, moved and removed', async ({ page }) => {
  await describe(page);
  await section(page, 'Files & scripts');
  await page.getByRole('button', { name: 'Add a file or folder' }).click();
  await page.getByRole('button', { name: 'File or folder: Choose a file…' }).click();
  await page.getByLabel('Place in the system').fill('/etc/motd');
  await page.getByRole('button', { name: 'Add a file or folder' }).click();
  await page.getByLabel('Place in the system').nth(1).fill('/etc/issue');
  await page.getByRole('button', { name: 'Move /etc/issue up' }).click();
  await expect(page.getByLabel('Place in the system').first()).toHaveValue('/etc/issue');
  await expect(page.getByText('This is needed.')).toHaveCount(1);
  await page.getByRole('button', { name: 'Remove /etc/issue' }).click();
  await expect(page.getByRole('button', { name: 'Build', exact: true })).toBeEnabled();
});

test('dropped files are used for what they are', async ({ page }) => {
  const drop = (paths: string[]) =>
    page.evaluate((detail) => {
      window.dispatchEvent(new CustomEvent('isosmith:dropped', { detail: { paths: detail } }));
    }, paths);
  await open(page);
  await drop(['/home/kim/Documents/aurora.toml']);
  await expect(page.getByRole('banner')).toContainText('Aurora OS 1.0');
  await drop(['/home/kim/Pictures/logo.svg']);
  await page.getByRole('dialog').getByRole('button', { name: 'The logo' }).click();
  await expect(page.getByText('logo.svg')).toBeVisible();
  await drop(['/home/kim/tidy.sh']);
  await page.getByRole('dialog').getByRole('button', { name: 'A script of the build' }).click();
  await expect(page.getByRole('heading', { level: 1, name: 'Files & scripts' })).toBeVisible();
  await drop(['/home/kim/other.toml']);
  await expect(page.getByRole('dialog', { name: /unsaved changes/ })).toBeVisible();
  await page.getByRole('button', { name: 'Cancel', exact: true }).click();
  await expect(page.getByText('tidy.sh').first()).toBeVisible();
});

test('cancel asks, stops, and the build can be resumed', async ({ page }) => {
  await describe(page, 'speed=4');
  await page.getByRole('button', { name: 'Build', exact: true }).click();
  await page.getByRole('button', { name: 'Cancel the build' }).click();
  await page.getByRole('button', { name: 'Go on building' }).click();
  await page.getByRole('button', { name: 'Cancel the build' }).click();
  await page.getByRole('button', { name: 'Stop the build' }).click();
  await expect(page.getByRole('heading', { level: 1, name: /was stopped/ })).toBeVisible();
  await page.getByRole('button', { name: 'Resume the build' }).click();
  await expect(page.getByRole('progressbar')).toBeVisible();
});

test('a question of the build is answered and it goes on', async ({ page }) => {
  await describe(page, 'replay=question&speed=0');
  await page.getByRole('button', { name: 'Build', exact: true }).click();
  await expect(page.getByText('There is not enough room')).toBeVisible();
  await page.getByRole('button', { name: 'I have done that: go on' }).click();
  await expect(page.getByRole('heading', { level: 1, name: /is ready/ })).toBeVisible();
});

test('a running build is shown at the start, and closing the window asks', async ({ page }) => {
  await open(page, 'running&at=30000&hold');
  await expect(
    page.getByRole('heading', { level: 1, name: 'Building Aurora OS 1.0' }),
  ).toBeVisible();
  await page.getByRole('button', { name: 'Start', exact: true }).click();
  await expect(page.getByRole('button', { name: /Aurora OS 1.0 is being built/ })).toBeVisible();
  await page.evaluate(() => window.dispatchEvent(new CustomEvent('isosmith:closing')));
  await expect(page.getByRole('dialog', { name: 'The build goes on' })).toBeVisible();
  await noViolations(page);
  await page.keyboard.press('Escape');
  await expect(page.getByRole('dialog')).toHaveCount(0);
});

test('overall progress and time left never go back', async ({ page }) => {
  await describe(page, 'speed=20');
  await page.getByRole('button', { name: 'Build', exact: true }).click();
  let last = 0;
  for (let i = 0; i < 25; i += 1) {
    const bar = page.getByRole('progressbar');
    if ((await bar.count()) === 0) break;
    const now = Number(
      await bar.getAttribute('aria-valuenow', { timeout: 2_000 }).catch(() => last),
    );
    expect(now).toBeGreaterThanOrEqual(last);
    last = now;
    await page.waitForTimeout(150);
  }
  expect(last).toBeGreaterThan(10);
});

for (const code of Object.keys(ERRORS)) {
  test(`the error ${code}`, async ({ page }) => {
    await describe(page, `speed=0&end=${code}`);
    await page.getByRole('button', { name: 'Build', exact: true }).click();
    const panel = page.locator(`[data-code="${code}"]`);
    await expect(panel).toContainText(words[`error.${code}.what`] ?? '?');
    await expect(panel).toContainText(words[`error.${code}.why`] ?? '?');
    await expect(panel).toContainText(words[`error.${code}.todo`] ?? '?');
    await expect(panel.getByRole('button').first()).toBeEnabled();
    await noViolations(page);
    await panel.getByRole('button').first().click();
  });
}

for (const code of ['not_authorised', 'prompt_dismissed', 'service_unavailable', 'queue_full']) {
  test(`a build that is refused with ${code}`, async ({ page }) => {
    await describe(page, `refuse=${code}`);
    await page.getByRole('button', { name: 'Build', exact: true }).click();
    await expect(page.locator(`[data-code="${code}"]`)).toBeVisible();
    await expect(page.getByRole('button', { name: 'Try again' })).toBeEnabled();
  });
}

for (const name of ['good', 'failed', 'cancelled', 'interrupted', 'newer']) {
  test(`the recording ${name} of the protocol’s own tests`, async ({ page }) => {
    await describe(page, `replay=${name}&speed=0`);
    await page.getByRole('button', { name: 'Build', exact: true }).click();
    await expect(page.getByRole('button', { name: 'Build again' })).toBeVisible();
  });
}

test('text from outside stays text', async ({ page }) => {
  await describe(page);
  await page.getByLabel('Name', { exact: true }).fill('<img src=x onerror=alert(1)> \u202eevil');
  await expect(page.getByRole('banner')).toContainText('<img src=x onerror=alert(1)> \ufffdevil');
  await expect(page.locator('header img')).toHaveCount(0);
});

test('nothing moves for people who want no motion', async ({ page }) => {
  await open(page);
  const moving = await page.evaluate(
    () =>
      [...document.querySelectorAll('*')].filter((one) => {
        const style = getComputedStyle(one);
        return style.animationName !== 'none' || parseFloat(style.transitionDuration) > 0;
      }).length,
  );
  expect(moving).toBe(0);
});
