"""Every life of a pool that the deployed contracts have lived comes out as it did there."""

import pytest

from tests.sim.pool_vectors import SEQUENCE_FILES, answered, vectors, without_answers


@pytest.mark.parametrize("name", SEQUENCE_FILES)
def test_every_step_of_every_life_is_answered_as_on_the_chain(name: str) -> None:
    published = vectors(name)
    found = answered(without_answers(published))
    assert len(published["sequences"]) == 17
    for life, ours in zip(published["sequences"], found["sequences"], strict=True):
        for number, step in enumerate(life["steps"]):
            assert ours["steps"][number] == step, f"{life['id']}, step {number}"
    assert found == published


def test_answers_that_a_file_has_already_are_replaced() -> None:
    published = vectors("pool_sequences_ts60")
    asked = without_answers(published)
    for life in asked["sequences"]:
        for step in life["steps"]:
            step |= {"out": {"amount0": "7"}, "revert": "no", "ticks": {}}
    assert answered(asked) == published
