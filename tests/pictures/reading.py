"""Reading images and plots back into data: a PNG decoder from the specification, and
the coordinates of a plot.
"""

import math
import re
import struct
import zlib
from xml.etree import ElementTree

import numpy as np

SVG = "{http://www.w3.org/2000/svg}"


def png_chunks(data):
    """(type, body) of each chunk; checks signature, lengths and CRC-32"""
    assert data[:8] == bytes([137, 80, 78, 71, 13, 10, 26, 10])
    chunks, position = [], 8
    while position < len(data):
        length, kind = struct.unpack(">I4s", data[position : position + 8])
        body = data[position + 8 : position + 8 + length]
        (crc,) = struct.unpack(
            ">I", data[position + 8 + length : position + 12 + length]
        )
        assert len(body) == length and crc == zlib.crc32(kind + body)
        chunks.append((kind, body))
        position += 12 + length
    assert chunks[0][0] == b"IHDR" and chunks[-1] == (b"IEND", b"")
    return chunks


def unfilter(header, compressed):
    """The pixels of one image: zlib and all five filters"""
    width, height, depth, color, compression, filtering, interlace = struct.unpack(
        ">IIBBBBB", header
    )
    assert (depth, compression, filtering, interlace) == (8, 0, 0, 0)
    samples = {0: 1, 2: 3}[color]
    inflate = zlib.decompressobj()
    raw = inflate.decompress(compressed)
    assert (
        inflate.eof
        and inflate.unused_data == b""
        and len(raw) == height * (1 + width * samples)
    )
    above, rows = [0] * (width * samples), []
    for start in range(0, len(raw), 1 + width * samples):
        row = list(raw[start + 1 : start + 1 + width * samples])
        for i, value in enumerate(row):
            left = row[i - samples] if i >= samples else 0
            corner = above[i - samples] if i >= samples else 0
            paeth = min(
                (abs(above[i] - corner), 0, left),
                (abs(left - corner), 1, above[i]),
                (abs(left + above[i] - 2 * corner), 2, corner),
            )[2]
            row[i] = (
                value + (0, left, above[i], (left + above[i]) // 2, paeth)[raw[start]]
            ) % 256
        above = row
        rows.append(row)
    pixels = np.array(rows, np.uint8)
    return pixels if samples == 1 else pixels.reshape(height, width, 3)


def decode_png(data):
    """Pixels of an 8-bit gray or RGB image; of an animation, the image that other
    programs show
    """
    chunks = png_chunks(data)
    return unfilter(
        chunks[0][1], b"".join(body for kind, body in chunks if kind == b"IDAT")
    )


def decode_apng(data):
    """(frames, their delays in seconds, number of plays) of an animation whose frames
    all cover the whole image
    """
    chunks = png_chunks(data)
    header, (kind, control) = chunks[0][1], chunks[1]
    assert kind == b"acTL"
    count, plays = struct.unpack(">II", control)
    frames, delays, sequence = [], [], 0
    for kind, body in chunks[2:-1]:
        if kind == b"fcTL":
            number, width, height, x, y, numerator, denominator, dispose, blend = (
                struct.unpack(">IIIIIHHBB", body)
            )
            assert (width, height) == struct.unpack(">II", header[:8]) and (
                x,
                y,
                dispose,
                blend,
            ) == (0, 0, 0, 0)
            delays.append(numerator / denominator)
            frames.append(b"")
        else:
            assert kind == (b"IDAT" if len(frames) == 1 else b"fdAT")
            number = struct.unpack(">I", body[:4])[0] if kind == b"fdAT" else None
            frames[-1] += body[4:] if kind == b"fdAT" else body
        if number is not None:
            assert number == sequence
            sequence += 1
    assert count == len(frames)
    return [unfilter(header, frame) for frame in frames], delays, plays


def elements(svg, tag, class_=None):
    """All elements of a tag, at any depth, in order"""
    found = ElementTree.fromstring(svg).iter(SVG + tag)
    return [
        element for element in found if class_ is None or element.get("class") == class_
    ]


def assert_inside(svg):
    """Every text, line, circle and rectangle is inside the document, with room for
    descenders below a baseline.
    """
    width, height = (
        float(v) for v in elements(svg, "svg")[0].get("viewBox").split()[2:]
    )
    for tag, across, down in [
        ("text", "x", "y"),
        ("circle", "cx", "cy"),
        ("rect", "x", "y"),
        ("line", "x1", "y1"),
        ("line", "x2", "y2"),
        ("image", "x", "y"),
    ]:
        for each in elements(svg, tag):
            x, y = float(each.get(across, 0)), float(each.get(down, 0))
            right = x + float(each.get("width", 0))
            bottom = y + float(each.get("height", 4))
            assert x >= 0 and right <= width and y >= 0 and bottom <= height, (
                tag,
                each.attrib,
            )


def texts(svg, class_=None):
    return [text.text for text in elements(svg, "text", class_)]


def color(element):
    """The stroke, or else the fill, in an element's style"""
    style = dict(part.split(": ") for part in element.get("style").split("; "))
    return style.get("stroke") or style["fill"]


def legend(svg):
    """{name: color} of the legend, in order: each name beside its dot, on one line"""
    dots = [dot for dot in elements(svg, "circle") if dot.get("r") == "5"]
    names = elements(svg, "text", "name")
    assert len(dots) == len(names)
    for dot, name in zip(dots, names, strict=True):
        assert (
            float(dot.get("cy")) == float(name.get("y")) - 4.5
            and 0 < float(name.get("x")) - float(dot.get("cx")) < 15
        )
    return {name.text: color(dot) for dot, name in zip(dots, names, strict=True)}


def tick_value(label):
    """A tick's label as a number"""
    if set(label) & set("⁻⁰¹²³⁴⁵⁶⁷⁸⁹"):
        return 10.0 ** int(
            label[2:].translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789"))
        )
    return float(label.replace("−", "-"))


def ticks(svg, axis, line_class=None):
    """{value: pixel} of the "x" or "y" axis, from its labels and from the line beside
    each label
    """
    labels = [
        t
        for t in elements(svg, "text", "tick")
        if t.get("text-anchor") == {"x": "middle", "y": "end"}[axis]
    ]
    found = {}
    for label in labels:
        pixel = float(label.get(axis)) - (4.5 if axis == "y" else 0)
        at = {"x": ("x1", "x2", "axis"), "y": ("y1", "y2", "grid")}[axis]
        at = (*at[:2], line_class or at[2])
        assert any(
            abs(float(line.get(at[0])) - pixel) < 0.02
            and line.get(at[0]) == line.get(at[1])
            for line in elements(svg, "line", at[2])
        ), f"no line at the tick {label.text}"
        found[tick_value(label.text)] = pixel
    return found


def reader(svg, axis, transform=lambda value: value):
    """A function from pixels to transform(values), the line through two ticks; all
    ticks must lie on it
    """
    found = ticks(svg, axis)
    values = np.array([transform(v) for v in found])
    pixels = np.array([*found.values()])
    assert (
        len(found) >= 2 and (np.diff(pixels) > 0).all()
        if axis == "x"
        else (np.diff(pixels) < 0).all()
    )
    slope = (values[-1] - values[0]) / (pixels[-1] - pixels[0])
    assert np.allclose(
        values[0] + slope * (pixels - pixels[0]), values, atol=abs(slope) * 0.03
    )  # pixels to 0.01
    return lambda pixel: values[0] + slope * (np.asarray(pixel) - pixels[0])


def curves(svg):
    """The points of each polyline, (P, 2) in pixels, after any nested viewport, which
    must not move them
    """
    for nested in elements(svg, "svg")[1:]:
        x, y, width, height = (
            float(nested.get(name)) for name in ("x", "y", "width", "height")
        )
        assert np.allclose(
            [float(v) for v in nested.get("viewBox").split()], [x, y, width, height]
        )
    return [
        np.array(
            [
                [float(v) for v in point.split(",")]
                for point in line.get("points").split()
            ]
        )
        for line in elements(svg, "polyline")
    ]


def relative_luminance(color):
    """WCAG 2.2, from #rrggbb"""
    channels = np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(
        channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4
    )
    return linear @ [0.2126, 0.7152, 0.0722]


def contrast(a, b):
    low, high = sorted(map(relative_luminance, (a, b)))
    return (high + 0.05) / (low + 0.05)


def palettes(css):
    """The custom properties of a style sheet: ({name: color} in light mode, the same in
    dark mode)
    """
    light, dark = css.split("@media (prefers-color-scheme: dark)")
    found = [
        dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", part)) for part in (light, dark)
    ]
    return found[0], {**found[0], **found[1]}


def read(svg, log_x=False, log_y=False):
    """[(x values, y values)] of each line; their logarithms on a logarithmic axis"""
    x = reader(svg, "x", math.log10 if log_x else float)
    y = reader(svg, "y", math.log10 if log_y else float)
    return [(x(points[:, 0]), y(points[:, 1])) for points in curves(svg)]
