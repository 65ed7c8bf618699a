"""Names of common data sets and everyday words, with the states that are right by reading ImageNet-1k's 1000 classes.

"s" seen, "n" not seen, "u" unknown; several letters where several are admissible. A thing that ImageNet-1k has is never
"not seen", and "not seen" stands only where a reader of its list finds nothing of the kind.
"""

from __future__ import annotations

import pytest
from fewshot.data import class_lists

from fewshot.results.seen_classes import seen_classes

STATES = {"s": "seen", "n": "not seen", "u": "unknown"}

DATA_SETS = {
    "STL-10": "airplane s, bird s, car s, cat s, deer n, dog s, horse s, monkey s, ship s, truck s",
    "CIFAR-10": "airplane s, automobile s, bird s, cat s, deer n, dog s, frog s, horse s, ship s, truck s",
    "Fashion-MNIST": "T-shirt/top s, Trouser s, Pullover s, Dress s, Coat s, Sandal s, Shirt s, Sneaker s, Bag s, "
    "Ankle boot su",
    "EuroSAT": "AnnualCrop n, Forest n, HerbaceousVegetation n, Highway n, Industrial n, Pasture n, PermanentCrop n, "
    "Residential n, River n, SeaLake n",
}
BY_NAMES = {
    "CIFAR-100": (
        "apple s, aquarium_fish su, beaver s, bee s, beetle s, bottle s, bowl s, bridge s, can su, castle s, clock s, "
        "couch s, crab s, crocodile s, flatfish nu, forest nu, hamster s, lawn_mower s, leopard s, lobster s, "
        "motorcycle s, pickup_truck s, pear nu, poppy nu, porcupine s, ray s, sea nu, shark s, skunk s, streetcar s, "
        "sunflower nu, sweet_pepper su, tank s, telephone s, television s, tiger s, tulip nu, wardrobe s, whale s, "
        "wolf s"
    ),
    "Flowers102": ("daisy s, sunflower nu, rose su, corn poppy nu, water lily nu, yellow lady slipper s, foxglove nu"),
    "Pets37": (
        "Abyssinian nu, beagle s, Bengal nu, boxer s, Chihuahua s, Egyptian_Mau su, keeshond s, Maine_Coon nu, pug s, "
        "Persian su, Siamese s, Sphynx nu, yorkshire_terrier s, great_pyrenees s, american_bulldog nu"
    ),
    "Food101": (
        "apple_pie nu, bibimbap nu, carrot_cake nu, french_fries nu, guacamole s, hamburger s, hot_dog s, ice_cream "
        "s, pizza s, sushi nu, tiramisu nu, cup_cakes nu, spaghetti_carbonara su, chicken_wings nu"
    ),
    "Caltech101": (
        "accordion s, airplanes s, anchor su, ant s, butterfly s, chair s, crocodile_head su, dalmatian s, "
        "electric_guitar s, emu nu, flamingo s, grand_piano s, helicopter nu, kangaroo s, laptop s, lobster s, "
        "Motorbikes s, octopus nu, okapi nu, panda s, pizza s, scissors nu, soccer_ball s, starfish s, stop_sign su, "
        "umbrella s, wrench nu"
    ),
    "DTD": "banded nu, chequered nu, cobwebbed su, dotted nu, honeycombed su, striped nu, woven nu, zigzagged nu",
    "SVHN": "0 u, 1 u, 2 u, 3 u",
    "GTSRB": "00000 u, 00001 u, 00014 u",
    "GTSRB by name": "speed limit 20 nu, stop nu, yield nu, no entry nu, roundabout nsu, wild animals crossing nu",
    "CUB": (
        "001.Black_footed_Albatross s, 009.Brewer_Blackbird nu, 017.Cardinal nu, 029.American_Crow nu, "
        "064.Ring_billed_Gull nu, 014.Indigo_Bunting s, 090.Red_breasted_Merganser s, 100.Brown_Pelican su, "
        "035.Purple_Finch nu"
    ),
    "Stanford Cars": ("Acura RL Sedan 2012 u, Audi A5 Coupe 2012 u, Ford GT Coupe 2006 u, Jeep Wrangler SUV 2012 u"),
    "Stanford Dogs": "n02085620-Chihuahua s, n02088364-beagle s, n02113978-Mexican_hairless s",
    "dogs by name": (
        "Chihuahua s, Maltese_dog s, beagle s, Scotch_terrier s, golden_retriever s, Great_Dane s, dingo s"
    ),
    "Aircraft": "707-320 u, 737-800 u, A380 u, DC-10 u, F-16A_B u",
    "KMNIST": "o u, ki u, su u, tsu u",
    "Omniglot": "character01 u, character02 u, character03 u",
    "mini-ImageNet": "n01532829 s, n02110341 s, n03544143 s, n07697537 s",
    "mini-ImageNet by name": (
        "house_finch s, robin s, triceratops s, dalmatian s, hourglass s, hotdog s, carousel su, school bus s, "
        "theater curtain s, trifle s, dome s, cannon s, ear s, boxer s"
    ),
    "SUN397": (
        "abbey su, airplane_cabin nu, airport_terminal nu, alley nu, bamboo_forest nu, barn s, bathroom nu, castle s, "
        "cliff s, coast s, fountain s, greenhouse su, jail_cell su, kitchen nu, library su, lighthouse s, mosque su, "
        "office nu, palace s, sandbar s, sky nu, swimming_pool nu, volcano s, waterfall nu"
    ),
    "Places365": (
        "airfield nu, art_gallery nu, bakery su, bedroom nu, bookstore s, campus nu, church su, desert nu, "
        "dining_room nu, fire_station nu, gas_station nu, greenhouse su, hospital nu, ice_cream_parlor u, lake nu, "
        "pier s, playground nu, restaurant s, runway nu, shoe_shop s, supermarket s, valley s, viaduct s, wind_farm "
        "nu"
    ),
}
EVERYDAY = (
    "tv s, television s, telly s, chicken s, rooster s, hen s, chick s, puppy s, pup s, kitten s, foal s, lamb s, "
    "calf s, duckling s, cub s, tadpole s, bunny s, cow s, pig s, mice s, geese s, wolves s, buses s, cherries nu, "
    "octopuses nu, bug su, tennis su, golf su, soccer su, drone u, zebra fish u, zebrafish u, pet su, sofa s, couch "
    "s, laptop s, phone s, smartphone su, cellphone s, mobile phone s, computer s, keyboard s, mouse s, car s, "
    "lorry su, truck s, tram s, aeroplane s, plane s, helicopter nu, guitar s, violin s, trumpet s, apple s, banana "
    "s, carrot nu, tomato nu, grape nu, potato s, broccoli s, maize s, sweetcorn s, aubergine nu, eggplant nu, "
    "courgette s, zucchini s, hotdog s, hot dog s, burger s, cake nu, cup s, mug s, wineglass su, plate s, fork nu, "
    "spoon s, trainers su, sneakers s, jumper s, trousers s, nappy s, diaper s, dummy su, hoover s, fridge s, "
    "cooker su, torch s, flashlight su, jail su, prison s, cinema s, skis s, flag su, suitcase nu, scissors nu, "
    "doll nu, giraffe nu, deer nu, crow nu, walrus nu, caterpillar nu, wasp nu, ladybird s, ladybug s, spider s, "
    "starfish s, tulip nu, daisy s, elevator nu, wrench nu, spanner nu, pram nu, skateboard nu, robot nu, ufo u, "
    "petrol pump s, fire truck s, police car su, traffic light s, teddy bear s, parrot s, owl s, penguin s"
)


def admissible(line: str) -> dict[str, str]:
    return dict(entry.strip().rsplit(" ", 1) for entry in line.split(", "))


def wrong(line: str, *others: str) -> list[str]:
    table = admissible(line)
    judged = seen_classes("ImageNet-1k", "a folder", [*table, *others]).classes[: len(table)]
    return [f"{c.name}: {c.state}" for c in judged if c.state not in [STATES[letter] for letter in table[c.name]]]


@pytest.mark.parametrize("name", DATA_SETS)
def test_the_classes_of_a_whole_common_set_are_judged_right(name: str) -> None:
    assert wrong(DATA_SETS[name]) == []
    assert seen_classes("ImageNet-1k", "a folder", list(admissible(DATA_SETS[name]))).by == f"the table of {name}"


@pytest.mark.parametrize("name", BY_NAMES)
def test_some_classes_of_a_common_set_are_judged_right(name: str) -> None:
    assert wrong(BY_NAMES[name]) == []
    assert wrong(BY_NAMES[name], "sofa", "teapot") == []  # not a part of the set: by their names alone


def test_everyday_words_are_judged_right() -> None:
    assert len(admissible(EVERYDAY)) > 100
    assert wrong(EVERYDAY) == []


def test_no_class_that_a_table_calls_seen_is_not_seen_by_its_name() -> None:
    for name, table in class_lists.load().sets.items():
        by_table = seen_classes("ImageNet-1k", "x", list(table)).classes
        by_name = seen_classes("ImageNet-1k", "x", [*table, "sofa", "teapot"]).classes
        assert [
            a.name for a, b in zip(by_table, by_name, strict=False) if (a.state, b.state) == ("seen", "not seen")
        ] == [], name
