"""Draws cards and dialogs with Microsoft's own renderer (npm `adaptivecards`) in headless Chromium.

`python -m tests.bot.render.teams_pictures FOLDER` draws the samples, light and dark, 320 and 600 px wide. It needs
Node, npm and Chromium, installs the renderer into a folder of its own, and says what is missing.
"""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Error, Page, sync_playwright

from bot.teams import cards, forms
from tests import QUIET_BROWSER
from tests.bot.render.teams_samples import EDIT, FORMS, SCREENS
from tests.bot.render.teams_tickets import tickets

Json = dict[str, Any]

PACKAGES: Final = ("adaptivecards@3.0.6", "markdown-it@14.1.0")
SCRIPTS: Final = ("adaptivecards/dist/adaptivecards.min.js", "markdown-it/dist/markdown-it.min.js")
CHROMIUM: Final = "/usr/bin/chromium"
WIDTHS: Final = (320, 600)
# Teams searches choices on cards of any version; another client shows the ones that came with the card.
SEARCHED: Final = 'Property "choices.data" is supported in version 1.6'
CHART: Final = 'Unknown element type "Chart.HorizontalBar". Fallback will be used'  # Teams' own element
INSTALLING: Final = 90  # seconds


class Missing(Exception):
    """Something that drawing needs is not on this machine."""


@dataclass(frozen=True)
class Theme:
    """The colours of a Teams client: background, text, subtle text, accent, good, warning, attention, emphasis."""

    name: str
    back: str
    text: str
    subtle: str
    accent: str
    good: str
    warning: str
    attention: str
    emphasis: str
    line: str


LIGHT: Final = Theme(
    "light", "#FFFFFF", "#242424", "#616161", "#5B5FC7", "#237B4B", "#835C00", "#C4314B", "#F5F5F5", "#D1D1D1"
)
DARK: Final = Theme(
    "dark", "#292929", "#FFFFFF", "#ADADAD", "#7F85F5", "#92C353", "#F8D22A", "#F9526B", "#1F1F1F", "#666666"
)


def host(theme: Theme) -> Json:
    """A host configuration like that of Teams."""

    def color(value: str) -> Json:
        return {"default": value, "subtle": value}

    ink = {
        "default": {"default": theme.text, "subtle": theme.subtle},
        "accent": color(theme.accent),
        "good": color(theme.good),
        "warning": color(theme.warning),
        "attention": color(theme.attention),
    }
    return {
        "fontFamily": "'Segoe UI', 'Liberation Sans', sans-serif",
        "fontSizes": {"small": 12, "default": 14, "medium": 16, "large": 18, "extraLarge": 24},
        "fontWeights": {"lighter": 300, "default": 400, "bolder": 600},
        "spacing": {"small": 8, "default": 12, "medium": 16, "large": 20, "extraLarge": 24, "padding": 16},
        "separator": {"lineThickness": 1, "lineColor": theme.line},
        "containerStyles": {
            "default": {"backgroundColor": theme.back, "foregroundColors": ink},
            "emphasis": {"backgroundColor": theme.emphasis, "foregroundColors": ink},
        },
        "actions": {"maxActions": 6, "buttonSpacing": 8, "actionsOrientation": "horizontal", "actionAlignment": "left"},
        "factSet": {"title": {"weight": "Bolder", "maxWidth": 150}, "spacing": 12},
        "table": {"cellSpacing": 8},
        "inputs": {
            "label": {
                "inputSpacing": 1,
                "requiredInputs": {"suffix": " *", "suffixColor": "attention", "weight": "Default"},
                "optionalInputs": {"weight": "Default"},
            },
            "errorMessage": {"spacing": 1, "weight": "Default"},
        },
    }


def style(theme: Theme) -> str:
    """The look of buttons and inputs, which the renderer leaves to its host."""
    return f"""
body {{ margin: 0; background: {theme.emphasis}; padding: 10px; font: 14px 'Segoe UI', 'Liberation Sans', sans-serif; }}
#card {{ background: {theme.back}; border: 1px solid {theme.line}; border-radius: 6px; }}
.ac-anchor {{ color: {theme.accent}; text-decoration: none; }}
.ac-selectable {{ cursor: pointer; }}
.ac-pushButton {{ font: 600 14px 'Segoe UI', 'Liberation Sans', sans-serif; padding: 5px 12px; border-radius: 4px;
  border: 1px solid {theme.line}; background: {theme.back}; color: {theme.text}; min-height: 32px; }}
.ac-pushButton.style-positive {{ background: #5B5FC7; color: #fff; border-color: #5B5FC7; }}
.ac-pushButton.style-destructive {{ color: {theme.attention}; border-color: {theme.attention}; }}
.ac-input {{ font: 14px 'Segoe UI', 'Liberation Sans', sans-serif; }}
input.ac-input, textarea.ac-input, select.ac-input {{ box-sizing: border-box; width: 100%; padding: 6px 8px;
  border-radius: 4px; border: 1px solid {theme.line}; background: {theme.emphasis}; color: {theme.text}; }}
"""


DRAW: Final = """([card, config]) => {
  const AC = window.AdaptiveCards;
  const reader = window.markdownit();
  AC.AdaptiveCard.onProcessMarkdown = (text, result) => {
    result.outputHtml = reader.render(text); result.didProcess = true;
  };
  const drawn = new AC.AdaptiveCard();
  drawn.hostConfig = new AC.HostConfig(config);
  drawn.lang = 'en-GB';
  window.pressed = [];
  drawn.onExecuteAction = (action) => {
    const values = {};
    for (const input of drawn.getAllInputs()) values[input.id] = input.value;
    window.pressed.push({ type: action.getJsonTypeName(), title: action.title, data: action.data ?? null, values });
  };
  const context = new AC.SerializationContext(AC.Versions.v1_5);
  drawn.parse(card, context);
  const place = document.getElementById('card');
  place.replaceChildren(drawn.render());
  return Array.from({ length: context.eventCount }, (_, i) => context.getEventAt(i).message);
}"""


@contextmanager
def renderer(folder: Path) -> Iterator[Page]:
    """A page that has Microsoft's renderer in it, installed into `folder`. Raises Missing."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        raise Missing("Node with npm is not installed")
    if not Path(CHROMIUM).exists():
        raise Missing(f"there is no Chromium at {CHROMIUM}")
    try:
        subprocess.run(
            [npm, "install", "--silent", "--no-audit", "--no-fund", "--fetch-retries=0", "--prefix", folder, *PACKAGES],
            check=True,
            capture_output=True,
            timeout=INSTALLING,
        )
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as fault:
        raise Missing(f"npm could not install {' and '.join(PACKAGES)}") from fault
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET_BROWSER)
        except Error as fault:
            raise Missing(f"Chromium does not start: {fault.message.splitlines()[0]}") from fault
        try:
            page = browser.new_page(timezone_id="Europe/London", locale="en-GB", device_scale_factor=1)
            page.set_content("<html><head><style></style></head><body><div id='card'></div></body></html>")
            for script in SCRIPTS:
                page.add_script_tag(path=folder / "node_modules" / script)
            yield page
        finally:
            browser.close()


def draw(page: Page, card: Json, *, theme: Theme = LIGHT, width: int = 600) -> None:
    """Shows a card. Raises ValueError where the renderer finds fault with it."""
    page.set_viewport_size({"width": width, "height": 100})
    page.evaluate("css => { document.querySelector('style').textContent = css; }", style(theme))
    faults = [fault for fault in page.evaluate(DRAW, [card, host(theme)]) if not fault.startswith((SEARCHED, CHART))]
    if faults:
        raise ValueError("; ".join(faults))


def samples() -> dict[str, Json]:
    """What is looked at: the main screens, and the dialogs with and without reasons."""
    shown = {f"card-{name}": cards.card(screen) for name, screen in SCREENS.items()}
    shown |= {f"dialog-{name}": forms.card(form) for name, form in FORMS.items()}
    errors = {"forwarding": "020 7946 0900 can't forward to itself. Choose another phone, or leave it empty."}
    shown["dialog-error"] = forms.card(EDIT, errors=errors)
    return shown


def support() -> dict[str, Json]:
    """Cards and dialogs of support. Takes a second or two: a store is started for them."""
    screens, dialogs = tickets()
    shown = {f"support-{name}": cards.card(screen) for name, screen in screens.items()}
    return shown | {
        f"support-dialog-{name}": forms.card(form, optional="Can be left empty.") for name, form in dialogs.items()
    }


def main(out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    shown = samples() | support()
    with tempfile.TemporaryDirectory() as folder, renderer(Path(folder)) as page:
        for name, card in shown.items():
            for theme in (LIGHT, DARK):
                for width in WIDTHS:
                    draw(page, card, theme=theme, width=width)
                    page.screenshot(path=out / f"{name}-{theme.name}-{width}.png", full_page=True)
        draw(page, samples()["card-list"])
        page.locator(".ac-selectable").first.click()
        page.screenshot(path=out / "card-list-open-light-600.png", full_page=True)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("say into which folder: python -m tests.bot.render.teams_pictures FOLDER")
    try:
        main(Path(sys.argv[1]))
    except Missing as why:
        sys.exit(f"no pictures: {why}")
