"""The report as PDF/A-3a and PDF/UA-1, carrying report.json and the resolved configuration."""

from __future__ import annotations

import base64
import contextlib
import gc
import io
import logging
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from reportgen.errors import FormatError
from reportgen.figures import Picture
from reportgen.figures.letters import face_files, spelled
from reportgen.report.lettering import lettered, whole_words
from reportgen.report.raster import finish, rasters
from reportgen.report.report import Report
from reportgen.templating import environment

VARIANT = "pdf/a-3a"
INLINE = "data:image/png;base64,"

UA_NAMESPACES = (
    ' xmlns:pdfuaid="http://www.aiim.org/pdfua/ns/id/" xmlns:pdfaExtension="http://www.aiim.org/pdfa/ns/extension/"'
    ' xmlns:pdfaSchema="http://www.aiim.org/pdfa/ns/schema#" xmlns:pdfaProperty="http://www.aiim.org/pdfa/ns/property#"'
)
UA_DESCRIPTION = (
    '<rdf:Description rdf:about=""><pdfuaid:part>1</pdfuaid:part></rdf:Description>'
    '<rdf:Description rdf:about=""><pdfaExtension:schemas><rdf:Bag><rdf:li rdf:parseType="Resource">'
    "<pdfaSchema:schema>PDF/UA identification schema</pdfaSchema:schema>"
    "<pdfaSchema:namespaceURI>http://www.aiim.org/pdfua/ns/id/</pdfaSchema:namespaceURI>"
    "<pdfaSchema:prefix>pdfuaid</pdfaSchema:prefix><pdfaSchema:property><rdf:Seq>"
    '<rdf:li rdf:parseType="Resource"><pdfaProperty:name>part</pdfaProperty:name>'
    "<pdfaProperty:valueType>Integer</pdfaProperty:valueType><pdfaProperty:category>internal</pdfaProperty:category>"
    "<pdfaProperty:description>Part of ISO 14289 this file conforms to</pdfaProperty:description></rdf:li>"
    "</rdf:Seq></pdfaSchema:property></rdf:li></rdf:Bag></pdfaExtension:schemas></rdf:Description>"
)


def write_pdf(report: Report, target: Path, attachments: Mapping[str, tuple[str, str]], when: datetime | None) -> None:
    """Write report.pdf with attachments {name: (content, description)}, dated `when`: the same input, the same bytes.

    Raises FormatError where WeasyPrint, its libraries or the page itself fail; nothing is left behind then.
    """
    files: dict[str, bytes] = {}

    def source(picture: Picture) -> str:
        files[picture.name] = lettered(picture.data) if picture.suffix == "svg" else picture.data
        return f"run:{picture.name}"

    look = report.look
    files |= {"theme.ttf": look.font} if look.font else {}
    made = environment(
        look.templates, skin="pdf", src=source, logo=look.logo, theme=report.config.theme,
        font="run:theme.ttf" if look.font else "",
    )  # fmt: skip
    try:
        html = made.get_template(report.template).render(report=report, pages={})
        if spelled(html) != html:  # said once, at the start
            html = spelled(made.get_template(report.template).render(report=report, pages={}, spells=True))
    except Exception as error:
        if look.templates is None:
            raise
        raise FormatError(
            "the PDF could not be set with the templates of the configuration", where=f"templates/{report.template}",
            received=f"{type(error).__name__}: {error}", advice="mend the template, and render again",
        ) from error  # fmt: skip
    try:
        files |= {name: path.read_bytes() for name, path in face_files().items()}
    except (OSError, KeyError, ImportError) as error:
        raise FormatError(
            "a typeface of the report is missing", where=target.name, received=f"{type(error).__name__}: {error}",
            advice="install reportgen again; the HTML report has the same content",
        ) from error  # fmt: skip
    weasyprint = _weasyprint()
    # Attachments need a date; without a run's own, any fixed one keeps the bytes the same.
    dated = when or datetime(2000, 1, 1, tzinfo=UTC)
    try:
        with _complaints() as complaints, _uncollected(), whole_words():
            page = weasyprint.HTML(string=html, base_url="run:/", url_fetcher=_fetcher(files))
            document = page.render(pdf_variant=VARIANT, cache=rasters(files))
            _claim_accessibility(document)
            document.write_pdf(
                target,
                finisher=finish,
                pdf_variant=VARIANT,
                attachments=[
                    weasyprint.Attachment(
                        string=content, name=name, description=words, relationship="Data", created=dated, modified=dated
                    )
                    for name, (content, words) in attachments.items()
                ],
            )
    except (Exception, weasyprint.urls.FatalURLFetchingError) as error:
        target.unlink(missing_ok=True)
        raise FormatError(
            "WeasyPrint failed", where=target.name, received=f"{type(error).__name__}: {error}",
            advice="the HTML report has the same content",
        ) from error  # fmt: skip
    if complaints:
        target.unlink(missing_ok=True)
        raise FormatError(
            "the PDF would not be what it should", where=target.name, expected="a page WeasyPrint says nothing about",
            received="; ".join(dict.fromkeys(complaints)), advice="the HTML report has the same content",
        )  # fmt: skip


def _weasyprint() -> Any:
    try:
        with contextlib.redirect_stdout(io.StringIO()):  # it prints a banner when libraries are missing
            import weasyprint
    except (ImportError, OSError) as error:
        raise FormatError(
            "WeasyPrint cannot start", received=str(error), expected="the shared libraries of Pango",
            advice="apt-get install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0; the HTML report is complete",
        ) from error  # fmt: skip
    return weasyprint


def _fetcher(files: Mapping[str, bytes]) -> Any:
    """Return a fetcher for `run:` addresses of the given files, PNG inside an SVG, and nothing else in the world."""
    from weasyprint.urls import FatalURLFetchingError, URLFetcher, URLFetcherResponse

    media = {"png": "image/png", "svg": "image/svg+xml", "ttf": "font/ttf"}

    class Fetcher(URLFetcher):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__(allowed_protocols=set(), allow_redirects=False)

        def fetch(self, url: str, headers: Any = None) -> Any:
            if url.startswith(INLINE):  # a picture inside one of our own charts
                content = base64.b64decode(url[len(INLINE) :])
                return URLFetcherResponse("run:inline.png", content, {"Content-Type": "image/png"})
            parts = urlsplit(url)
            name = parts.path.lstrip("/")
            if parts.scheme != "run" or name not in files:
                raise FatalURLFetchingError(f"blocked: {url[:80]}")
            return URLFetcherResponse(url, files[name], {"Content-Type": media[name.rsplit(".", 1)[-1]]})

    return Fetcher()


def _claim_accessibility(document: Any) -> None:
    """Say in the metadata that the file conforms to PDF/UA-1 too; WeasyPrint writes one variant's claim only."""
    original = document.metadata.generate_rdf_metadata

    def both(*arguments: Any) -> bytes:
        xml = original(*arguments).decode()
        start = xml.index("<rdf:RDF") + len("<rdf:RDF")
        body = xml[start:].removesuffix("</rdf:RDF>")
        return f"{xml[:start]}{UA_NAMESPACES}{body}{UA_DESCRIPTION}</rdf:RDF>".encode()

    document.metadata.generate_rdf_metadata = both


@contextlib.contextmanager
def _complaints() -> Iterator[list[str]]:
    """Collect what WeasyPrint logs from warnings up: a missing glyph or image is a defect, not a remark."""
    said: list[str] = []
    handler = logging.Handler(logging.WARNING)
    handler.emit = lambda record: said.append(record.getMessage())  # type: ignore[method-assign]
    logger = logging.getLogger("weasyprint")
    before = logger.propagate
    logger.addHandler(handler)
    logger.propagate = False
    try:
        yield said
    finally:
        logger.removeHandler(handler)
        logger.propagate = before


@contextlib.contextmanager
def _uncollected() -> Iterator[None]:
    """Look for no garbage meanwhile: a layout is millions of objects in use, and each search walks over all of them."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()
