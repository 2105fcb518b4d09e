"""HellaSwag's question about small everyday scenes: which ending goes on with this one?

A wrong ending goes on with another scene; each ending is right and wrong alike often.
"""

from typing import Any

from stilts.embedded.microworld.grammar import Language
from stilts.embedded.microworld.world import World, cells, draw

# label | first step | ending | another ending
_SCENES = {
    "train": """
        Making tea | has boiled some water | pours it over the leaves in the cup | drinks it with a little
        sugar;
        Washing the car | has filled a bucket with soapy water | scrubs the wheels and the doors | dries the
        paint with a cloth;
        Baking bread | has kneaded the dough | puts the loaf into the oven | takes the hot loaf out and cuts a
        slice;
        Planting a tree | has dug a deep hole in the garden | sets the young tree into the earth | waters the
        roots;
        Writing a letter | has written two pages | folds the paper and seals the envelope | puts a stamp on
        it;
        Playing tennis | has picked up a racket | hits the ball over the net | serves again and wins the
        point;
        Swimming | has jumped into the pool | swims ten lengths | climbs out of the water;
        Ironing a shirt | has plugged in the iron | presses the collar and the sleeves | hangs the smooth
        shirt on a hanger;
        Fishing | has put a worm on the hook | casts the line into the lake | pulls out a big trout;
        Painting a wall | has opened a can of paint | dips the roller and covers the wall | cleans the
        brushes;
        Brushing teeth | has squeezed some paste onto the brush | cleans the front teeth first | rinses the
        mouth with water;
        Riding a horse | has saddled the horse | mounts and trots across the field | leads the animal back to
        the stable;
        Sewing a button | has threaded the needle | stitches the button onto the coat | cuts off the thread;
        Playing the piano | has opened the score | plays the first notes with both hands | closes the lid over
        the keys;
        Lighting a fire | has piled up dry wood | strikes a match and holds it to the twigs | warms both hands
        at the flames;
        Skiing | has taken the lift up the mountain | glides down the snowy slope | takes off the skis in the
        valley;
        Taking a photograph | has focused the camera | presses the button and looks at the picture | changes
        the lens;
        Changing a tyre | has loosened the bolts and raised the car | takes off the flat tyre | mounts the
        spare wheel;
        Paying at the shop | has put the goods on the counter | hands some coins to the cashier | takes the
        receipt and the change;
        Cutting hair | has combed the wet hair | trims it with the scissors | sweeps the locks off the floor;
        """,
    "held": """
        Making a salad | has washed the lettuce | slices the tomatoes and adds some oil | tosses everything in
        a bowl;
        Doing the laundry | has filled the machine with dirty clothes | adds the powder and starts the wash |
        hangs the wet socks on the line;
        Playing football | has got the ball | kicks it towards the goal | runs back after the score;
        Rowing a boat | has untied the boat | pulls hard at both oars | moors at the far shore;
        Wrapping a present | has put the gift on the coloured paper | folds the edges and ties a ribbon |
        writes a card for it;
        Making coffee | has ground the beans | fills the filter and switches the machine on | adds some milk;
        Sending a parcel | has packed the box | sticks the address on it | takes it to the post office;
        Building a snowman | has rolled two big snowballs | puts the head on top | gives it a carrot for a
        nose;
        Shaving | has spread foam over the chin | draws the razor along the cheek | washes the foam off;
        Watering the flowers | has filled the can at the tap | sprinkles the roses in the garden | picks the
        dry leaves off;
        """,
}


SCENES = {pool: cells(listed) for pool, listed in _SCENES.items()}


def row(language: Language, seed: int, split: str, index: int) -> dict[str, Any]:
    """Item `index` of a split, in HellaSwag's schema."""
    del language
    world = draw(seed, "hellaswag", split, index, split=split)
    place, *others = world.random.sample(range(len(SCENES[world.pool])), 4)
    label, step, *right = SCENES[world.pool][place]
    endings = [f"{world.one(right)}."] + [f"{world.one(SCENES[world.pool][other][2:])}." for other in others]
    order = world.random.sample(range(4), 4)
    context, opening = f"{_name(world)} {step}.", world.one(["Then she", "Now she", "She"])
    return {
        "ind": index,
        "activity_label": label,
        "ctx_a": context,
        "ctx_b": opening,
        "ctx": f"{context} {opening}",
        "endings": [endings[i] for i in order],
        "source_id": f"microworld~{split}~{index}",
        "split": split,
        "split_type": "indomain" if world.pool == "train" else "zeroshot",
        "label": str(order.index(0)),
    }


def _name(world: World) -> str:
    return world.people(1, sex="f")[0].capitalize()
