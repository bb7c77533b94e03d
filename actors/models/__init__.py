"""Language models that agents may ask, over any API that speaks OpenAI's protocol. Off by default.

What comes back is data: it is bounded in bytes and in time, read into a schema, made printable, and
has the power of one vote or of a smaller order, whatever it says.

`terms` is where and how is asked, and what that costs. `gateway` answers a question: from what it
`recent`ly heard, else by `completion`, one request over HTTP, where `breaker` and the day's budget
(storage/agents/model_budget.py) let it. `prompts` puts questions into words, which lie in texts/;
`answers` reads what is said to them. `advice` is what becomes of a signal or a verdict.
"""
