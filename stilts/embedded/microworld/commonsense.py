"""CommonsenseQA's question: the sensible answer among five of one sort."""

from typing import Any

from stilts.embedded.microworld.grammar import Language
from stilts.embedded.microworld.world import cells, draw

# sort -> question with its concept | answer
_KNOWN = {
    "train": {
        "Where would {name} go to {concept}?": """
            borrow a book | library; see a play | theatre; buy fresh rolls | bakery; catch a train | railway
            station; swim | swimming pool; post a letter | post office; see lions and elephants | zoo; pray |
            church; have a broken leg treated | hospital; open a savings account | bank; board a plane |
            airport; look at old paintings | art museum; learn to read and write | school; buy medicine |
            pharmacy
            """,
        "What does {name} need to {concept}?": """
            cut paper | scissors; drive in a nail | hammer; eat soup | spoon; open the door | key; write a
            note | pencil; tell the time | watch; sweep the floor | broom; dry wet hair | towel; keep milk
            cold | refrigerator; see in the dark | torch; take pictures | camera; fasten a screw |
            screwdriver; cross a lake | boat
            """,
        "Whom does {name} ask to {concept}?": """
            repair the car | mechanic; fly the plane | pilot; pull out a bad tooth | dentist; cut hair |
            hairdresser; put out a fire | firefighter; bake the bread | baker; defend someone in court |
            lawyer; teach the pupils | teacher; nurse the sick | nurse; milk the cows | farmer; draw plans for
            a house | architect
            """,
    },
    "held": {
        "Where would {name} go to {concept}?": """
            watch a film | cinema; eat a good dinner | restaurant; get petrol | filling station; lie in the
            sand | beach; ski | mountains; buy a car | car dealer; spend the night on a journey | hotel; work
            out | gym
            """,
        "What does {name} need to {concept}?": """
            stay dry in the rain | umbrella; slice bread | knife; sew | needle; climb onto the roof | ladder;
            boil water | kettle; dig a hole | spade; see far away ships | telescope; ride to school | bicycle
            """,
        "Whom does {name} ask to {concept}?": """
            mend a pipe | plumber; arrest a thief | police officer; bring the menu | waiter; make a suit |
            tailor; catch fish | fisherman; build a wall | bricklayer; steer the ship | captain
            """,
    },
}


def _facts(pool: str) -> dict[str, list[list[str]]]:
    return {asks: cells(listed) for asks, listed in _KNOWN[pool].items()}


FACTS = {pool: _facts(pool) for pool in _KNOWN}


def row(language: Language, seed: int, split: str, index: int) -> dict[str, Any]:
    """Item `index` of a split, in CommonsenseQA's schema."""
    del language
    world = draw(seed, "commonsenseqa", split, index, split=split)
    asks = world.one(sorted(FACTS[world.pool]))
    facts = world.random.sample(FACTS[world.pool][asks], 5)
    order = world.random.sample(range(5), 5)
    letters = list("ABCDE")
    return {
        "id": f"microworld-{split}-{index}",
        "question": asks.format(name=world.people(1)[0].capitalize(), concept=facts[0][0]),
        "question_concept": facts[0][0],
        "choices": {"label": letters, "text": [facts[i][1] for i in order]},
        "answerKey": letters[order.index(0)],
    }
