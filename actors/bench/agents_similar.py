"""Part of `sandpit bench agents`: looking for similar decisions among very many."""

import asyncio
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from uuid import UUID

import numpy as np
import numpy.typing as npt
from uuid_utils.compat import uuid7

from actors.bench.agents_decisions import fill, indexed_afterwards
from actors.bench.agents_house import Exchange
from actors.bench.http_load import connect as connect_http
from actors.bench.http_load import request
from actors.bench.orders import percentile
from actors.bench.simulate_peers import SEED, Extent, Line
from actors.bench.simulate_runs import RunFailed
from storage.agents.decisions import similar
from storage.postgres.database import connect, open_pool
from storage.postgres.database_roles import DatabaseUrls

ASKED, ASKED_MIN, WANTED = 300, 10, 10
AIM_MS, AIM_RECALL = 20.0, 0.95
CONNECTIONS = 2
NOBODY = 0
"""Whoever asks has no session."""

ROUNDING = 2e-6
"""What a vector's text and single precision may miss a similarity by."""

EVERYBODYS = "SELECT id, embedding::text FROM decisions WHERE session_id IS NULL ORDER BY seq"

Vectors = npt.NDArray[np.float32]


@dataclass
class Found:
    """Seconds of each search, and how many of the nearest it has found, from 0 to 1.

    ids   of the decisions that others were compared with
    """

    ids: list[UUID] = field(default_factory=list)
    searched_s: list[float] = field(default_factory=list)
    exact_s: list[float] = field(default_factory=list)
    asked_s: list[float] = field(default_factory=list)
    recall: list[float] = field(default_factory=list)


def similarity(exchange: Exchange, extent: Extent, size: int) -> Iterator[Line]:
    """The nearest ten of decisions of simulated markets, one in ten of which is a verdict that is
    not for who asks; beside that all of them looked at in numpy."""
    many = extent.of(size, WANTED * 10)
    found = asyncio.run(searched(exchange.urls, many, extent.of(ASKED, ASKED_MIN)))
    asyncio.run(_ask(exchange.deployment.port, found))
    recall = float(np.mean(found.recall))
    told = f"{many:,} decisions, the nearest {WANTED}, {len(found.recall)} times"
    aim = f"≤ {AIM_MS:g} ms"
    for what, seconds in (("search", found.searched_s), ("GET …/similar", found.asked_s)):
        half, most = (1e3 * percentile(seconds, percent) for percent in (50, 95))
        yield Line("similar", f"{what}, p50", "ms", half)
        yield Line("similar", f"{what}, p95", "ms", most, aim=aim, met=most <= AIM_MS)
    ours, theirs = (1e3 * percentile(one, 50) for one in (found.searched_s, found.exact_s))
    yield Line("similar", "against all of them in numpy, p50", "ms", ours, theirs, theirs / ours)
    yield Line(
        "similar",
        f"recall@{WANTED}",
        "of 1",
        recall,
        aim=f"≥ {AIM_RECALL:g}",
        met=recall >= AIM_RECALL,
        note=f"{told}; the least was {min(found.recall):g}",
    )


async def searched(urls: DatabaseUrls, many: int, asked: int) -> Found:
    """Among so many decisions more, so often."""
    vectors, texts, ids = await _filled(urls, many)
    places = np.random.default_rng(SEED).integers(0, len(ids), asked).tolist()
    found = Found()
    pool = await open_pool(urls.api, CONNECTIONS)
    try:
        for place in places:
            began = time.perf_counter()
            alike = await similar(pool, NOBODY, texts[place], ids[place], {}, WANTED)
            found.searched_s.append(time.perf_counter() - began)
            best = nearest(found, vectors, place)
            met = sum(score >= best[0] - ROUNDING for _, score in alike)
            found.recall.append(met / WANTED)
    finally:
        await pool.close()
    found.ids += [ids[place] for place in places]
    return found


async def _filled(urls: DatabaseUrls, many: int) -> tuple[Vectors, list[str], list[UUID]]:
    """So many decisions more; of all that are everybody's their vectors of length 1, the same as
    text, and ids."""
    pool = await open_pool(urls.engine, CONNECTIONS)
    try:
        with indexed_afterwards(urls.owner):
            await fill(pool, many, uuid7(), SEED)
    finally:
        await pool.close()
    with connect(urls.owner, "bench") as connection:
        rows = connection.execute(EVERYBODYS).fetchall()
    texts = [str(text) for _, text in rows]
    vectors = np.array([json.loads(text) for text in texts], np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors, texts, [UUID(str(one)) for one, _ in rows]


def nearest(found: Found, vectors: Vectors, place: int) -> Vectors:
    """How alike the nearest others are, the least first: all are looked at."""
    began = time.perf_counter()
    alike = vectors @ vectors[place]
    alike[place] = -np.inf
    best: Vectors = np.sort(np.partition(alike, -WANTED)[-WANTED:])
    found.exact_s.append(time.perf_counter() - began)
    return best


async def _ask(port: int, found: Found) -> None:
    """The same by the API, one after the other."""
    (connection,) = await connect_http("127.0.0.1", port, 1)
    try:
        for one in found.ids:
            path = f"/api/v1/decisions/{one}/similar?limit={WANTED}"
            began = time.perf_counter()
            status, body = await connection.ask(request("GET", path, None))
            found.asked_s.append(time.perf_counter() - began)
            if status != 200 or json.loads(body)["count"] != WANTED:
                raise RunFailed(f"GET {path} is {status}: {body[:100]!r}")
    finally:
        connection.close()
