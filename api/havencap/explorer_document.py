"""What the document says of the explorer beside the schemas."""

from api.door.limits import DEAR_ROW, ROWS_A_REQUEST
from api.door.refusal_examples import Example
from api.havencap.explorer import NO_BLOCK, NO_TOKEN, NO_TRANSACTION, NOT_A_HASH, NOT_A_NUMBER
from api.havencap.explorer_answers import HASH, USDC_ADDRESS
from sim.chain.addresses import checksummed
from sim.chain.known_pools import POOLS
from sim.chain.world import FIRST_BLOCK
from storage.chain.node import ETHER_POOL

NO_ADDRESS: Example = (
    "400",
    "'0x12' is not an address: write 0x and 40 hexadecimal digits.",
    {},
)

FIELDS = {
    "address": "Of whom: 0x and 40 hexadecimal digits, in any case.",
    "from_date": "In blocks of this time or later, such as 2026-04-01T00:00:00Z.",
    "to_date": "In blocks of this time or earlier.",
    "sort": "By the blocks' times: `-timestamp` has the newest first.",
    "page_size": f"How many a page has: a request for each {ROWS_A_REQUEST // DEAR_ROW}.",
    "page": "The how manieth page, from 1 on.",
    "transaction_hash": "0x and 64 hexadecimal digits.",
    "contract_address": "The token's contract.",
    "block_number": "The block's number.",
    "hash": "The hash of its bytes.",
    "block_timestamp": "The block's time.",
    "from_address": "From whom.",
    "to_address": "To whom; null where the transaction makes a contract.",
    "TokenTransfer.to_address": "To whom.",
    "value_native": "The ether that went with it.",
    "value_usd": "What that was worth at the block's price of ETH, to the cent.",
    "gas_used": "How much gas it has taken.",
    "gas_price_gwei": "What each unit of gas has cost, base fee and tip.",
    "gas_fee_eth": "gas_used times gas_price_gwei, exact.",
    "gas_fee_usd": "What the gas was worth at the block's price of ETH, to the cent.",
    "ListedTransaction.status": "`success`, or `failed`: then only the gas is gone.",
    "TransactionAnswer.status": "`success`, or `failed`: then only the gas is gone.",
    "token_transfers": "What tokens changed hands in it, in order.",
    "token_symbol": "The token's symbol; null where the token is not known.",
    "token_name": "The token's name; null where the token is not known.",
    "token_standard": "ERC-20, or ERC-721 for an NFT.",
    "token_id": "Which NFT it is, in decimal digits; null for an amount.",
    "amount_display": "The amount with its symbol.",
    "amount_usd": "What it was worth, to the cent; null where no price is known.",
    "price_source": "Where the price of ETH is from: the pool of USDC and WETH.",
    "price_timestamp": "When it was that price: the block's time.",
    "raw_transaction": "The signed bytes, whose Keccak-256 is the hash.",
    "receipt": "The receipt's bytes, as the block's receipt root has them.",
    "transaction_count": "How many transactions it has.",
    "transaction_hashes": "Their hashes, in order.",
    "block_hash": "The hash of its header.",
    "parent_hash": "The hash of the block before it.",
    "header": "The header's RLP, whose Keccak-256 is the hash.",
    "data": "The transactions.",
    "total_results": "How many there are on all pages.",
    "total_pages": "How many pages there are.",
    "next_page_url": "The next page; null on the last one.",
    "prev_page_url": "The page before; null on the first one.",
    "KnownTokenAnswer.symbol": "What it is called for short.",
    "KnownTokenAnswer.name": "What it is called.",
    "decimals": "How many digits it has behind the point.",
    "ExplorerHealthAnswer.status": "`ok`, or `degraded` where it is more than 288 s late.",
    "last_indexed_block": "The newest block that is told; null before the first.",
    "last_indexed_timestamp": "Its time.",
    "chain_tip_block": "The chain's newest block; null before the first.",
    "ingestion_lag_seconds": "By how much the newest block's time is later.",
}

OPERATION_IDS = {
    "get_chain_transactions": "getChainTransactions",
    "get_chain_transaction": "getChainTransaction",
}

PARTS_OF_PATHS = {
    "transaction_hash": HASH,
    "address": checksummed(POOLS[ETHER_POOL].address),
    "block_number": str(FIRST_BLOCK),
    "contract_address": USDC_ADDRESS,
}

EXAMPLES: dict[str, dict[int, Example]] = {
    "getChainTransactions": {
        400: ("400", "page_size: must be 100 or less: that is the maximum", {}),
    },
    "getTransactionsOfAddress": {400: NO_ADDRESS},
    "getChainTransaction": {400: ("400", NOT_A_HASH, {}), 404: ("404", NO_TRANSACTION, {})},
    "getBlock": {400: ("400", NOT_A_NUMBER, {}), 404: ("404", NO_BLOCK, {})},
    "getToken": {400: NO_ADDRESS, 404: ("404", NO_TOKEN, {})},
}
