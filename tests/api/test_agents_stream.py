"""What happens to agents, sessions and one's accounts is told over a WebSocket, in the document's
shapes."""

from tests.api.agents_floor import AgentsFloor
from tests.api.listening import listening

PATH = "/api/v1/ws"


def test_an_order_is_told(agents: AgentsFloor) -> None:
    ann = agents.client()
    with listening(agents.app, headers=ann.headers, path=PATH) as ear:
        order = ann.places()
        told = ear.until("order_update", order_id=order["id"], status="NEW")
        print(told)
