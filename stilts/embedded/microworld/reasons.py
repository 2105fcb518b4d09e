"""Cosmos QA's question about what a passage leaves unsaid: why someone did something, or what comes next.

Often a second person does something else, and the reason of one is a wrong answer for the other.
"""

from typing import Any

from stilts.embedded.microworld.grammar import Language
from stilts.embedded.microworld.world import cells, draw

# what someone did | the bare verb phrase | why | what next
_DEEDS = {
    "train": """
        opened an umbrella | open an umbrella | It had started to rain. | She will walk home without getting
        wet.;
        put on a thick coat | put on a thick coat | It was freezing outside. | She will go out into the snow.;
        took an aspirin | take an aspirin | Her head was aching. | She will lie down until the pain is gone.;
        set the alarm for five | set the alarm for five | She had to catch an early flight. | She will leave
        for the airport at dawn.;
        called the fire brigade | call the fire brigade | Smoke came out of a neighbour's window. | She will
        wait for the firemen.;
        bought a cake with ten candles | buy a cake with ten candles | It was her child's birthday. | She will
        sing for the guests.;
        switched on the lamp | switch on the lamp | The room had become dark. | She will go on reading.;
        drank three glasses of water | drink three glasses of water | She was very thirsty after running. |
        She will take a shower.;
        put a plaster on her finger | put a plaster on her finger | She had cut herself with a knife. | She
        will hold the knife with more care.;
        went to the bank | go to the bank | She had no cash left. | She will count the notes.;
        whispered in the library | whisper in the library | Other people were studying there. | She will
        borrow the book quietly.;
        took the car to the garage | take the car to the garage | The brakes made a strange noise. | She will
        ask the mechanic for the price.;
        packed a tent and a sleeping bag | pack a tent and a sleeping bag | She was going camping. | She will
        sleep under the stars.;
        bought a ticket at the station | buy a ticket at the station | She wanted to travel by train. | She
        will look for her platform.;
        wore a black dress | wear a black dress | She was going to a funeral. | She will comfort the widow.;
        fed the hungry kitten | feed the hungry kitten | It had been mewing all morning. | She will watch it
        fall asleep.;
        locked every door | lock every door | There had been burglaries in the street. | She will hide the
        key.;
        studied all night | study all night | She had an important exam. | She will write the test in the
        morning.;
        took the stairs | take the stairs | The lift was out of order. | She will be out of breath at the
        top.;
        turned down the music | turn down the music | The baby was sleeping. | She will walk on tiptoe.;
        watered the plants | water the plants | The soil was dry. | She will see them bloom.;
        hid under the table | hide under the table | The thunder had frightened her. | She will come out after
        the storm.;
        bought new shoes | buy new shoes | Her old ones had holes. | She will throw the old pair away.;
        cleaned the windows | clean the windows | They were covered with dust. | She will enjoy the clear
        view.;
        learned some Spanish | learn some Spanish | She was moving to Madrid. | She will order tapas without a
        dictionary.;
        opened the window | open the window | The kitchen was full of steam. | She will breathe the fresh
        air.;
        called a taxi | call a taxi | She had missed the last bus. | She will give the driver her address.;
        went to bed early | go to bed early | She was very tired. | She will sleep for ten hours.;
        returned the dress | return the dress | It was too small for her. | She will get her money back.;
        asked a policeman for help | ask a policeman for help | Her purse had been stolen. | She will describe
        the thief.;
        """,
    "held": """
        put on sunglasses | put on sunglasses | The sun was dazzling her. | She will drive on along the bright
        road.;
        went to the dentist | go to the dentist | Her tooth hurt badly. | She will open her mouth wide.;
        knocked at the neighbour's door | knock at the neighbour's door | The loud music kept her awake. | She
        will ask for silence.;
        bought flour and eggs | buy flour and eggs | She wanted to make pancakes. | She will heat the pan.;
        ran to the bus stop | run to the bus stop | The bus was about to leave. | She will find a seat.;
        phoned the plumber | phone the plumber | Water was dripping from the pipe. | She will mop the floor.;
        lit a candle | light a candle | The power had gone out. | She will look for the fuse box.;
        put the baby to bed | put the baby to bed | It was tired and crying. | She will sing a lullaby.;
        """,
}


DEEDS = {pool: cells(listed) for pool, listed in _DEEDS.items()}


def row(language: Language, seed: int, split: str, index: int) -> dict[str, Any]:
    """Item `index` of a split, in Cosmos QA's schema."""
    del language
    world = draw(seed, "cosmosqa", split, index, split=split)
    deeds = world.random.sample(DEEDS[world.pool], 4)
    people = [name.capitalize() for name in world.people(2, sex="f")]
    told = [f"{name} {deed[0]}." for name, deed in zip(people, deeds, strict=False)][: 1 + world.chance(0.5)]
    world.random.shuffle(told)
    why = world.chance(0.5)
    asks = f"Why did {people[0]} {deeds[0][1]} ?" if why else f"What will {people[0]} probably do next ?"
    order = world.random.sample(range(4), 4)
    answers = [deeds[i][2 if why else 3] for i in order]
    return {
        "id": f"microworld-{split}-{index}",
        "context": " ".join(told),
        "question": asks,
        **{f"answer{number}": answer for number, answer in enumerate(answers)},
        "label": order.index(0),
    }
