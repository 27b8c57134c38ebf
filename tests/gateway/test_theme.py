"""A region's look is one file; what would be hard to read is refused at the start."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from deploy.processes import ROOT
from services.gateway.pages import theme
from services.gateway.pages.app import create_app
from services.gateway.settings import GatewaySettings
from services.shared.settings import SettingRefused
from services.shared.store import open_database
from tests.gateway.conftest import Site
from tests.gateway.stub_services import OPEN, World

LOGO = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 36 36"><circle cx="18" cy="18" r="16"/></svg>'


@pytest.fixture
def css(static: Path) -> str:
    [built] = static.glob("parvis-*.css")
    return built.read_text("utf-8")


@pytest.fixture
def example(tmp_path: Path) -> Path:
    """The one that the help page for operators shows."""
    text = (ROOT / "docs" / "theme.md").read_text("utf-8")
    path = tmp_path / "lannion.toml"
    path.write_text(text.split("```toml\n")[1].split("```")[0], "utf-8")
    (tmp_path / "logo.svg").write_text(LOGO, "utf-8")
    return path


def refused(folder: Path, css: str, **said: Any) -> str:
    path = folder / "theme.json"
    path.write_text(json.dumps(said), "utf-8")
    with pytest.raises(SettingRefused) as told:
        theme.load(path, css)
    return str(told.value)


def test_our_own_colours_can_be_read(css: str) -> None:
    for palette in theme.palettes(css):
        assert len(palette) > 20 and list(theme._unreadable(palette, palette)) == []
    assert theme.contrast("#000000", "#ffffff") == pytest.approx(21) and theme.contrast("#777777", "#ffffff") < 4.5


def test_every_page_has_the_look_of_the_file(
    environment: World, static: Path, css: str, example: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(theme.SETTING, str(example))
    settings = GatewaySettings.from_env()
    app = create_app(settings, open_database(settings.common, "gateway"), static=static)
    site = Site(app.test_client(), example.parent)
    for path in ("/", "/aide", "/connexion", "/nulle-part"):
        page = site.get(path)
        assert [fault for fault in page.faults() if not fault.startswith("title ")] == []
        assert "Lannion participe" in page.text and "– Lannion participe</title>" in page.source
        [sheet] = re.findall(r'href="(/assets/parvis-[0-9a-f]{12}\.css)" integrity="sha384-', page.source)
        [logo] = re.findall(r'<img class="[^"]*" src="(/assets/logo-[0-9a-f]{12}\.svg)" alt="">', page.source)
    client = app.test_client()
    served = client.get(sheet, headers={"Accept-Encoding": "identity"})
    assert served.status_code == 200 and "immutable" in served.headers["Cache-Control"]
    assert served.text.startswith(css)
    light, dark = served.text[len(css) :].split("@media screen and (prefers-color-scheme:dark)")
    assert "--act:#1b4b8f" in light and "--act:#9cc3f5" in dark
    shown = client.get(logo)
    assert shown.text == LOGO and shown.headers["Content-Security-Policy"] == "sandbox"
    assert sheet in client.get("/service-worker.js").text
    head = client.get(f"/scrutins/{OPEN}").text.partition("<main")[0]
    asked = set(re.findall(r'"(/assets/[^"]+)"', head))
    assert sheet in asked and logo in asked and len(asked) == 3, "with page, font and worker six requests"


def test_a_file_to_keep_bears_the_site_s_name(
    environment: World, static: Path, example: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(theme.SETTING, str(example))
    settings = GatewaySettings.from_env()
    app = create_app(settings, open_database(settings.common, "gateway"), static=static)
    with app.test_request_context():
        assert "Lannion participe</p>" in app.jinja_env.get_template("kit/sheet.html").render()


@pytest.mark.parametrize(
    ("said", "field", "reason"),
    [
        ({"name": ""}, "name", "length >= 1"),
        ({"name": "x" * 41}, "name", "length <= 40"),
        ({"nom": "Lannion"}, "nom", "unknown"),
        ({"logo": "../secret.svg"}, "logo", "beside this one"),
        ({"logo": "logo.gif"}, "logo", ".svg or .png"),
        ({"logo": "absent.svg"}, "logo", "cannot be read"),
        ({"light": {"act": "blue"}}, "light", "regex"),
        ({"light": {"acte": "#000000"}}, "light.acte", "no such colour; there are act, act-hover"),
        ({"light": {"act": "#9cc3f5"}}, "light.act", "where 4.5 is needed"),
        ({"light": {"sheet": "#000000"}}, "light.sheet", "with ink (#1c2a2e)"),
        ({"light": {"line-strong": "#eeeeee"}}, "light.line-strong", "where 3 is needed"),
        ({"dark": {"act": "#1b4b8f"}}, "dark.act", "where 4.5 is needed"),
    ],
)
def test_a_wrong_field_is_named_at_the_start(
    tmp_path: Path, css: str, said: dict[str, Any], field: str, reason: str
) -> None:
    told = refused(tmp_path, css, **said)
    assert f"field {field}" in told and reason in told and theme.SETTING in told


def test_a_heavy_logo_is_refused(tmp_path: Path, css: str) -> None:
    (tmp_path / "logo.png").write_bytes(bytes(12 * 1024 + 1))
    assert "12289 bytes, where 12288 are the most" in refused(tmp_path, css, logo="logo.png")
