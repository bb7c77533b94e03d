"""The explorer: the chain by block, transaction, address and token."""

import re
from collections.abc import Mapping
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from api.door.answers import reply_exact
from api.door.describing import Door, documented
from api.door.routing import ExactRoute, read_query_pairs, services_of
from api.havencap.envelope import refuse
from api.havencap.explorer_amounts import TOKENS
from api.havencap.explorer_answers import (
    BlockAnswer,
    KnownTokenAnswer,
    TransactionAnswer,
    TransactionsAnswer,
    block_answer,
    health_answer,
    listed_transaction,
    token_answer,
    transaction_answer,
)
from api.havencap.explorer_schemas import BytesAsked, RangeAsked, TransactionsAsked
from api.havencap.spelling import iso_seconds
from api.havencap.token_holders import ByToken, token_holder
from sim.chain.addresses import address_of_text, checksummed
from sim.chain.hexadecimal import bytes_of_hex
from sim.refusals import Refusal, Refused
from storage.chain import explorer as storage

TRANSACTIONS = "/api/v1/transactions"
HASH_BYTES = 32
BLOCK_NUMBER = re.compile(r"\d{1,18}", re.ASCII)
NOT_A_HASH = "A transaction's hash is 0x and 64 hexadecimal digits"
NOT_A_NUMBER = "A block's number is a whole number of at most 18 digits"
NO_TRANSACTION = "No such transaction, or not indexed yet"
NO_BLOCK = "No such block, or not indexed yet"
NO_TOKEN = "No such token on this chain"

router = APIRouter(route_class=ExactRoute, tags=["Trading app: explorer"])


async def tell_health(request: Request, process: Mapping[str, str]) -> Response:
    """Whoever comes with a token: twelve blocks behind the chain's newest, so usually 144 seconds
    late by the blocks' times; `degraded` above 288.

    process   its version and uptime
    """
    try:
        await token_holder(request)
    except Refused as refused:
        return refuse(refused, request.scope)
    progress = await storage.progress(services_of(request).pool)
    return reply_exact(health_answer(progress, process))


@router.get(
    TRANSACTIONS,
    summary="Transactions",
    **documented(200, TransactionsAnswer, opens=Door.APP_TOKEN),
)
async def get_chain_transactions(
    asked: Annotated[TransactionsAsked, Query()], caller: ByToken, request: Request
) -> Response:
    """All of them, or those in which an address sends or gets something, be it a token; failed
    ones, too. Dates are those of blocks, and both are within."""
    address = address_of_text(asked.address) if asked.address is not None else None
    return await page_of_transactions(asked, address, TRANSACTIONS, request)


@router.get(
    f"{TRANSACTIONS}/{{transaction_hash}}",
    summary="A transaction",
    **documented(200, TransactionAnswer, 404, opens=Door.APP_TOKEN),
)
async def get_chain_transaction(
    transaction_hash: str,
    asked: Annotated[BytesAsked, Query()],
    caller: ByToken,
    request: Request,
) -> Response:
    """One transaction of an indexed block, with its transfers in order. USD are at its block's
    price."""
    hashed = bytes_of_hex(transaction_hash, HASH_BYTES)
    if hashed is None:
        raise Refused(Refusal.INVALID_REQUEST, NOT_A_HASH)
    found = await storage.transaction(services_of(request).pool, hashed, asked.raw)
    if found is None:
        raise Refused(Refusal.NOT_FOUND, NO_TRANSACTION)
    return reply_exact(transaction_answer(*found))


@router.get(
    f"{TRANSACTIONS}/address/{{address}}",
    summary="An address's transactions",
    **documented(200, TransactionsAnswer, opens=Door.APP_TOKEN),
)
async def get_transactions_of_address(
    address: str, asked: Annotated[RangeAsked, Query()], caller: ByToken, request: Request
) -> Response:
    """Those in which it sends or gets something, be it a token."""
    known = known_address(address)
    path = f"{TRANSACTIONS}/address/{checksummed(known)}"
    return await page_of_transactions(asked, known, path, request)


@router.get(
    "/api/v1/blocks/{block_number}",
    summary="A block",
    **documented(200, BlockAnswer, 404, opens=Door.APP_TOKEN),
)
async def get_block(
    block_number: str, asked: Annotated[BytesAsked, Query()], caller: ByToken, request: Request
) -> Response:
    """An indexed block, with the hashes of its transactions in order."""
    if BLOCK_NUMBER.fullmatch(block_number) is None:
        raise Refused(Refusal.INVALID_REQUEST, NOT_A_NUMBER)
    found = await storage.block(services_of(request).pool, int(block_number), asked.raw)
    if found is None:
        raise Refused(Refusal.NOT_FOUND, NO_BLOCK)
    return reply_exact(block_answer(found))


@router.get(
    "/api/v1/tokens/{contract_address}",
    summary="A token",
    **documented(200, KnownTokenAnswer, 404, opens=Door.APP_TOKEN),
)
async def get_token(contract_address: str, caller: ByToken, request: Request) -> Response:
    """What is traded in the pools, and the NFTs that stand for positions in them."""
    named = TOKENS.get(known_address(contract_address))
    if named is None:
        raise Refused(Refusal.NOT_FOUND, NO_TOKEN)
    return reply_exact(token_answer(named))


def known_address(text: str) -> bytes:
    """An address in a path. Raises Refused."""
    try:
        return address_of_text(text)
    except ValueError as error:
        raise Refused(Refusal.INVALID_REQUEST, str(error)) from None


async def page_of_transactions(
    asked: RangeAsked, address: bytes | None, path: str, request: Request
) -> Response:
    """A page, with where the pages before and after it are."""
    pool, size = services_of(request).pool, asked.page_size
    found = await storage.page(pool, asked.wanted(address), asked.page, size)
    pages = -(-found.total // size)
    before = min(asked.page - 1, pages)
    end = None
    if asked.page == 1 and asked.sort == "-timestamp" and found.transactions:
        end = iso_seconds(found.transactions[0].time_s)
    answer = TransactionsAnswer(
        data=[listed_transaction(one) for one in found.transactions],
        page=asked.page,
        page_size=size,
        total_results=found.total,
        total_pages=pages,
        next_page_url=link(request, path, asked.page + 1, end) if asked.page < pages else None,
        prev_page_url=link(request, path, before) if before else None,
    )
    return reply_exact(answer)


def link(request: Request, path: str, page: int, end: str | None = None) -> str:
    """The same request for another page, at the address that the settings name: whoever asks
    chooses the header Host.

    end   where the list ends from now on, so that blocks that come move no row to another page
    """
    asked = {name: value for name, value in read_query_pairs(request).items() if name != "page"}
    kept = {**({"to_date": end} if end is not None else {}), **asked}
    base = services_of(request).settings.public_address
    return f"{base}{path}?{urlencode({**kept, 'page': page})}"
