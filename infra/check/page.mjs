// Opens the page at /docs of a running stack in a headless Chromium, tries a quote there, and looks at the answer.
//
//     node infra/check/page.mjs http://127.0.0.1:9000 [screenshot.png]
//
// It needs the package playwright-core and a Chromium (CHROMIUM, or /usr/bin/chromium).
import { chromium } from 'playwright-core';

const [api, screenshot] = process.argv.slice(2);
const family = 'fml_01J9ZDEMW5TVDJ0R0000FAM1Y1';
const OPERATIONS = 9;

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  // What is served here is ours, and nothing is to be asked of anybody else.
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});
try {
  const page = await browser.newPage({ viewport: { width: 1280, height: 960 } });
  const problems = [];
  page.on('pageerror', (error) => problems.push(String(error)));
  page.on('request', (request) => {
    if (!request.url().startsWith(api) && !request.url().startsWith('data:')) problems.push(`it asks ${request.url()}`);
  });
  await page.goto(`${api}/docs`);
  await page.waitForSelector('body[data-ready=yes]');
  const operations = await page.locator('.opblock').count();
  if (operations !== OPERATIONS) throw new Error(`${operations} operations are shown, not ${OPERATIONS}`);

  await page.selectOption('#who', { label: `family ${family}` });
  const quote = page.locator('.opblock', { hasText: '/v1/basket/{familyId}/quote' });
  await quote.locator('.opblock-summary-control').click();
  await quote.locator('.execute').click();
  const live = quote.locator('.live-responses-table .response').first();
  await live.waitFor();
  const status = (await live.locator('.response-col_status').innerText()).trim();
  const answer = await live.locator('.highlight-code').first().innerText();
  if (!status.startsWith('200') || !answer.includes('"quoteHash"')) throw new Error(`a quote is answered ${status} ${answer}`);
  if (problems.length > 0) throw new Error(problems.join('\n'));
  if (screenshot) {
    await quote.locator('.execute').evaluate((button) => button.scrollIntoView());
    await page.screenshot({ path: screenshot });
  }
  console.log(`the page shows ${operations} operations, and a quote that is tried there is answered ${status}`);
} finally {
  await browser.close();
}
