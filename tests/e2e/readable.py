"""What makes a page hard to read, found by scripts that run in the page."""

from playwright.sync_api import Page

# Texts whose contrast with what is behind them is below WCAG's 4.5 to 1 (3 to 1 for large ones).
_FAINT = """() => {
  const canvas = Object.assign(document.createElement("canvas"), {width: 1, height: 1})
    .getContext("2d", {willReadFrequently: true});
  const rgba = colour => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data]; };
  const light = ([r, g, b]) => [r, g, b].map(v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = element => { for (let e = element; e; e = e.parentElement) {
    const found = rgba(getComputedStyle(e).backgroundColor); if (found[3] === 255) return found; }
    return rgba("white"); };
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), faint = [];
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement, text = texts.currentNode.data.trim();
    if (!text || element.closest("svg,.hidden,.skip,script") || !element.checkVisibility()) continue;
    const style = getComputedStyle(element), pair = [light(rgba(style.color)), light(behind(element))].sort();
    const [low, high] = pair[0] < pair[1] ? pair : pair.reverse();
    const ratio = (high + 0.05) / (low + 0.05), size = parseFloat(style.fontSize);
    if (ratio < (size >= 24 || (size >= 18.6 && style.fontWeight >= 700) ? 3 : 4.5))
      faint.push(`${text.slice(0, 40)}: ${ratio.toFixed(2)}`);
  }
  return faint;
}"""
# What a screen reader would miss.
_UNNAMED = """() => {
  const named = e => e.labels?.length || e.getAttribute("aria-label") || e.textContent.trim();
  return [
    document.documentElement.lang ? "" : "the page has no language",
    document.querySelectorAll("h1").length === 1 ? "" : "the page has not exactly one h1",
    document.querySelectorAll("main").length === 1 ? "" : "the page has not exactly one main",
    ...[...document.querySelectorAll("input:not([type=hidden]),button,a[href]")].map(e => named(e) ? "" : e.outerHTML),
    ...[...document.querySelectorAll("svg")].map(e => e.getAttribute("aria-hidden") || e.getAttribute("aria-label")
      ? "" : e.outerHTML.slice(0, 80)),
    ...[...document.querySelectorAll("table")].map(e => e.querySelector("thead th") ? "" : e.outerHTML.slice(0, 80)),
    ...Object.entries(Object.groupBy([...document.querySelectorAll("[id]")], e => e.id)).map(([id, all]) =>
      all.length === 1 ? "" : `the id ${id} is there ${all.length} times`),
  ].filter(Boolean);
}"""
_OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


def troubles(page: Page) -> list[str]:
    """Whatever is too faint, has no name for a screen reader, or does not fit on the screen."""
    too_wide = page.evaluate(_OVERFLOW)
    found = [f"{too_wide} pixels wider than the screen"] if too_wide else []
    return [*found, *page.evaluate(_UNNAMED), *page.evaluate(_FAINT)]
