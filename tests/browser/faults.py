"""What is wrong with a page as it is drawn: text too small or cut off, a page too wide, the findings of axe."""

from __future__ import annotations

from importlib.resources import files

from playwright.sync_api import Page

SMALLEST = 12
"""Pixels below which no text may be set."""

_DRAWN = """(smallest) => {
  const small = new Set(), cut = new Set();
  const named = (e, text) => `${e.tagName.toLowerCase()}#${e.id || ''}.${e.getAttribute('class') || ''}: ${text.slice(0, 40)}`;
  const seen = (e) => e.checkVisibility({ opacityProperty: true, visibilityProperty: true });
  const words = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const range = document.createRange();
  const scrolls = (style) => /auto|scroll/.test(style.overflowX + style.overflowY);
  const told = (e) => e.closest('[title], [aria-label], [data-tip]') || e.querySelector('[title]');
  while (words.nextNode()) {
    const node = words.currentNode, e = node.parentElement, text = node.textContent.trim();
    if (!text || !e || ['STYLE', 'SCRIPT', 'NOSCRIPT', 'OPTION', 'TEMPLATE'].includes(e.tagName) || !seen(e)) continue;
    range.selectNodeContents(node);
    const box = range.getBoundingClientRect();
    if (box.width < 2 || box.height < 2) continue; // for screen readers alone
    const style = getComputedStyle(e);
    const scale = e instanceof SVGElement && e.ownerSVGElement ? Math.hypot(e.getScreenCTM().a, e.getScreenCTM().b) : 1;
    if (parseFloat(style.fontSize) * scale < smallest - 0.05) small.add(named(e, text));
    for (let around = e; around && around !== document.body; around = around.parentElement) {
      const held = getComputedStyle(around);
      if (scrolls(held) || held.position === 'fixed') break;
      if (!/hidden|clip/.test(held.overflowX + held.overflowY)) continue;
      const frame = around.getBoundingClientRect();
      if (frame.width < 2 || frame.height < 2) break;
      if (box.right <= frame.right + 1 && box.left >= frame.left - 1 && box.bottom <= frame.bottom + 3 && box.top >= frame.top - 3) continue;
      const short = held.textOverflow === 'ellipsis' || style.textOverflow === 'ellipsis' || held.webkitLineClamp !== 'none';
      if (!short || !told(e)) cut.add(named(e, text));
      break;
    }
  }
  const root = document.documentElement;
  const wide = root.scrollWidth > innerWidth ? [`the page is ${root.scrollWidth} px wide in a window of ${innerWidth}`] : [];
  return { small: [...small], cut: [...cut], wide };
}"""  # noqa: E501 - what it measures is easier read in one line each

_AXE = """() => axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) => violations
  .filter((found) => /serious|critical/.test(found.impact))
  .map((found) => `${found.impact} ${found.id}: ${found.nodes.slice(0, 3).map((node) => node.html.slice(0, 160)).join(' | ')}`))"""  # noqa: E501


def drawn(page: Page) -> dict[str, list[str]]:
    """Texts below `SMALLEST`, texts cut off without an ellipsis and a title, and a page that scrolls aside."""
    return {kind: found for kind, found in page.evaluate(_DRAWN, SMALLEST).items() if found}


def accessibility(page: Page) -> list[str]:
    """Serious and critical violations by axe-core (https://github.com/dequelabs/axe-core)."""
    page.evaluate((files("axe_playwright_python") / "axe.min.js").read_text())
    return page.evaluate(_AXE)
