"""An Ethereum-like chain: its bytes, in plain values; whatever was hashed or signed is exact.

Addresses, hashes and topics are bytes inside, text at the door.

`addresses`: address_of_text, checksummed, pool_address (CREATE2), the tokens and contracts.
`keys`: private_key (from a seed), address_of_key, sign, signer.
`transactions`: Transaction (type 2), signed, decoded, intrinsic_gas; CHAIN_ID.
`fees`: next_base_fee, effective_gas_price, gas_limit_may_follow.
`events`: one constant for each event; its log makes a `logs.Log`, its told reads one.
`receipts`: Receipt with its bloom and raw bytes, decoded_receipt.
`headers`: Header of London with raw and hash, root_of (transactions, receipts).
`calldata`: transfer, mint, exact_input_single, close_position: the data of transactions.
`signatures`: verify_signature of a wallet's message.
Below them stand `hexadecimal`, `sedes` (shapes of RLP) and `logs` (blooms).
"""
