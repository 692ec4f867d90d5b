"""SVG from Vega-Lite and Graphviz as elements of one HTML page.

Colours are variables of the page's style sheet, which has them for light, dark and paper.
"""

import re
from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree as ET

import altair as alt
import vl_convert
from markupsafe import Markup

from keras_repro.core.errors import ReproError

SVG = "http://www.w3.org/2000/svg"
XLINK = "http://www.w3.org/1999/xlink"
_REFERENCE = re.compile(r"(?<=#)[^)]+")

INK, LINE, FAINT = "var(--ink)", "var(--line)", "var(--rule)"
SERIES = tuple(f"var(--series-{number})" for number in range(1, 9))
DASHES = ([1, 0], [6, 3], [2, 2], [8, 3, 2, 3], [4, 2], [10, 4])

STYLE: dict[str, Any] = {
    "aria": False,  # the element as a whole has a text in its stead
    "background": None,
    # Of two fonts, either of which a browser may take for its own, the wider makes the room.
    "font": "DejaVu Sans, sans-serif",
    "padding": 3,
    "view": {"stroke": None},
    "axis": {
        "labelColor": INK,
        "titleColor": INK,
        "titleFontWeight": "normal",
        "titleFontSize": 11,
        "titlePadding": 8,
        "labelFontSize": 11,
        "gridColor": FAINT,
        "domainColor": LINE,
        "tickColor": LINE,
    },
    "legend": {
        "orient": "bottom",
        "columns": 1,
        "direction": "vertical",
        "labelColor": INK,
        "titleColor": INK,
        "labelFontSize": 11,
        "labelLimit": 220,
        "symbolSize": 160,
        "symbolStrokeWidth": 2,
    },
    "header": {"labelColor": INK, "titleColor": INK},
    "title": {"color": INK, "fontSize": 12, "fontWeight": "normal"},
    "text": {"color": INK},
    "line": {"strokeWidth": 1.8},
}


def of_chart(chart: alt.TopLevelMixin, key: str, label: str) -> Markup:
    """Return a chart as an SVG element.

    Args:
        chart: of Altair.
        key: unique in the page; names within the picture begin with it.
        label: what a reader who does not see it is told.

    """
    with alt.data_transformers.enable("default", max_rows=None):  # six curves have 2,400 points
        specification = chart.to_dict()
    # Charts beside each other have one width, whatever their axes take of it.
    fitted = {"autosize": {"type": "fit-x", "contains": "padding"}}
    return of_vega(specification | fitted, key, label)


def of_vega(specification: Mapping[str, Any], key: str, label: str) -> Markup:
    """Return the picture of a Vega-Lite specification, such as DVC's, as `of_chart` does.

    Raises:
        ReproError: it is none.

    """
    try:
        svg = vl_convert.vegalite_to_svg(dict(specification), config=STYLE, allowed_base_urls=[])
    except ValueError as error:
        raise ReproError(
            f"{label}: Vega-Lite cannot draw it ({error}); expected one of its specifications"
        ) from error
    return element(svg, key, label)


def element(svg: str, key: str, label: str) -> Markup:
    """Return an SVG document as an element that can stand beside others in a page.

    Args:
        svg: of Vega or Graphviz.
        key: as for `of_chart`.
        label: as for `of_chart`.

    """
    ET.register_namespace("", SVG)
    ET.register_namespace("xlink", XLINK)
    root = ET.fromstring(svg)  # noqa: S314 - of a program that was started here
    # Vega counts on from picture to picture, where equal pictures shall have equal names.
    slug = re.sub(r"[^\w-]+", "-", key)
    named = [node for node in root.iter() if "id" in node.attrib]
    names = {node.attrib["id"]: f"{slug}-{number}" for number, node in enumerate(named)}
    for node in root.iter():
        for attribute, value in list(node.items()):
            if attribute == "role" or attribute.startswith("aria-"):
                del node.attrib[attribute]  # nothing within a picture is told
            elif attribute == "id":
                node.set(attribute, names[value])
            elif attribute.endswith("href") or value.startswith("url(#"):
                node.set(
                    attribute, _REFERENCE.sub(lambda found: names.get(found[0], found[0]), value)
                )
    for side in ("width", "height"):
        # Graphviz states points, which browsers take for a third more than a pixel.
        root.set(side, root.get(side, "").removesuffix("pt"))
    root.set("role", "img")
    root.set("aria-label", label)
    return Markup(ET.tostring(root, encoding="unicode"))  # noqa: S704 - escaped by the writer
