"""The buttons beneath messages: few in a row, with plain words, and always a way back."""

from __future__ import annotations

from aiogram.filters.callback_data import CallbackData
from aiogram.types import InlineKeyboardButton, InlineKeyboardMarkup

from clients import looks
from clients.sdk import Generation, GenerationState, GenerationType, Item
from clients.telegram.buttons import Browse, Making, Menu, New, OfItem, Order, Statement
from clients.telegram.draft import Draft
from clients.telegram.views import FAVORITES, TRASH, View
from clients.words import Words

Types = dict[str, GenerationType]
Markup = InlineKeyboardMarkup
Rows = list[list[InlineKeyboardButton]]
NOWHERE = "·"
"""Where an arrow would lead nowhere; it stays so that the other buttons do not move."""


def _button(text: str, carries: CallbackData) -> InlineKeyboardButton:
    return InlineKeyboardButton(text=text, callback_data=carries.pack())


def _keyboard(rows: Rows) -> InlineKeyboardMarkup:
    return InlineKeyboardMarkup(inline_keyboard=[row for row in rows if row])


def _to_start(words: Words) -> list[InlineKeyboardButton]:
    return [_button(f"🏠 {words('back_to_menu')}", Menu(to="start"))]


def _entries(types: Types, words: Words) -> Rows:
    menu = looks.menu(types)
    return [
        [_button(f"{looks.entry_icon(each)} {looks.title('create', each, words)}", New(type=each.type))]
        for each in menu
    ]


def start(types: Types, words: Words) -> InlineKeyboardMarkup:
    """The creation menu, with the gallery and the credits beneath."""
    return _keyboard(
        [
            *_entries(types, words),
            [_button(f"🖼️ {words('menu_gallery')}", Menu(to="gallery"))],
            [
                _button(f"💳 {words('menu_statement')}", Menu(to="statement")),
                _button(f"❓ {words('menu_help')}", Menu(to="help")),
            ],
        ]
    )


def create(types: Types, words: Words) -> InlineKeyboardMarkup:
    return _keyboard([*_entries(types, words), _to_start(words)])


def only_back(words: Words) -> InlineKeyboardMarkup:
    return _keyboard([_to_start(words)])


def of_balance(words: Words) -> InlineKeyboardMarkup:
    return _keyboard([[_button(f"💳 {words('menu_statement')}", Menu(to="statement"))], _to_start(words)])


def asking(draft: Draft, words: Words) -> InlineKeyboardMarkup:
    """While words or a photo are awaited: back to the summary if there is one, or drop it."""
    back = [_button(f"⬅️ {words('back')}", Order(action="summary"))] if draft.prompt else []
    return _keyboard([back, [_button(f"✖️ {words('cancel_draft')}", Order(action="drop"))]])


def summary(draft: Draft, kind: GenerationType, words: Words) -> InlineKeyboardMarkup:
    """The order's summary: send it, or change something first."""
    price = words.count("credits", draft.price(kind))
    mark = "✅" if draft.own_words else "⬜"
    shape = f"{looks.ratio(draft.aspect_ratio, words)} {draft.aspect_ratio}"
    rows: Rows = [
        [_button(f"✨ {words('confirm', credits=price)}", Order(action="send"))],
        [_button(f"{mark} {words('own_words')}", Order(action="own"))],
    ]
    if len(kind.aspect_ratios) > 1:
        rows.append([_button(f"🔲 {words('shape_button', shape=shape)}", Order(action="shapes"))])
    if kind.max_output_count > 1:
        rows.append([_button(f"🔢 {words('count_button', count=draft.output_count)}", Order(action="counts"))])
    rows.append([_button(f"✏️ {words('change_words')}", Order(action="words"))])
    if kind.needs_reference:
        rows.append([_button(f"📷 {words('photo_again')}", Order(action="photo"))])
    return _keyboard([*rows, [_button(f"✖️ {words('cancel_draft')}", Order(action="drop"))]])


def shapes(draft: Draft, kind: GenerationType, words: Words) -> InlineKeyboardMarkup:
    rows = [
        [
            _button(
                f"{'✅ ' if each == draft.aspect_ratio else ''}{looks.ratio(each, words)} {each}",
                Order(action="shape", value=each),
            )
        ]
        for each in kind.aspect_ratios
    ]
    return _keyboard([*rows, [_button(f"⬅️ {words('back')}", Order(action="summary"))]])


def counts(draft: Draft, kind: GenerationType, words: Words) -> InlineKeyboardMarkup:
    rows = [
        [
            _button(
                f"{'✅ ' if each == draft.output_count else ''}{each} · "
                + words.count("credits", each * kind.credits_per_output),
                Order(action="count", value=str(each)),
            )
        ]
        for each in range(1, kind.max_output_count + 1)
    ]
    return _keyboard([*rows, [_button(f"⬅️ {words('back')}", Order(action="summary"))]])


def making(generation: Generation, words: Words) -> InlineKeyboardMarkup | None:
    """While it is made: cancel, unless that is under way."""
    if generation.state is GenerationState.CANCELLING:
        return None
    carries = Making(action="cancel", generation_id=generation.generation_id)
    return _keyboard([[_button(f"✖️ {words('cancel')}", carries)]])


def ended(generation: Generation, types: Types, words: Words) -> InlineKeyboardMarkup:
    rows: Rows = []
    if not generation.items and generation.type in types:
        again = Making(action="again", generation_id=generation.generation_id)
        rows.append([_button(f"🔁 {words('try_again')}", again)])
    rows.append([_button(f"📝 {words('order_more')}", Menu(to="new"))])
    rows.append([_button(f"🖼️ {words('menu_gallery')}", Menu(to="gallery"))])
    return _keyboard(rows)


def delivered(item: Item, words: Words) -> InlineKeyboardMarkup:
    carries = OfItem(action="open", item_id=item.item_id)
    return _keyboard([[_button(f"🖼️ {words('open_in_gallery')}", carries)]])


def browsing(
    view: View, counts: dict[str, int], credits: int, types: Types, words: Words, undo: str = ""
) -> InlineKeyboardMarkup:
    """Beneath the gallery: the arrows, what may be done, the lists with their counts, the balance (``credits``).

    ``undo`` is the id of an item that can be brought back.
    """
    rows: Rows = []
    if undo:
        rows.append([_button(f"↩️ {words('undo')}", OfItem(action="undo", item_id=undo))])
    if view.item_id:
        rows.append(_arrows(view, words))
        if view.list_name == TRASH:
            restore = OfItem(action="restore", item_id=view.item_id)
            rows.append([_button(f"↩️ {words('restore')}", restore)])
        else:
            rows.append([_button(f"✨ {words('actions')}", OfItem(action="actions", item_id=view.item_id))])
    if view.list_name == TRASH:
        rows.append([_button(f"🖼️ {words('to_gallery')}", Browse(action="list"))])
    else:
        rows += _lists(view, counts, types, words)
    balance = _button(f"💳 {words.count('credits', credits)}", Menu(to="statement"))
    return _keyboard([*rows, [*_to_start(words), balance]])


def _arrows(view: View, words: Words) -> list[InlineKeyboardButton]:
    same = Browse(action="same")
    newer = _button("⬅️", Browse(action="newer")) if view.newer_token else _button(NOWHERE, same)
    older = _button("➡️", Browse(action="older")) if view.older_token else _button(NOWHERE, same)
    place = words("position", number=words.number(view.number), total=words.number(view.total))
    return [newer, _button(place if view.number else NOWHERE, same), older]


def _lists(view: View, counts: dict[str, int], types: Types, words: Words) -> Rows:
    """Photos with me, images, video, all; beneath them favourites and the trash, once there is something in them."""
    names = [each for each in looks.FILTERS if each in types] + [each for each in types if each not in looks.FILTERS]
    buttons = [
        _list(
            view, name, f"{looks.filter_icon(types[name])} {looks.title('filter', types[name], words)}", counts, words
        )
        for name in names
    ]
    buttons.append(_list(view, "", f"📋 {words('filter_all')}", counts, words))
    more = []
    if counts[FAVORITES] or view.list_name == FAVORITES:
        more.append(_list(view, FAVORITES, f"⭐ {words('favorites')}", counts, words))
    if counts[TRASH]:
        more.append(_list(view, TRASH, f"🗑️ {words('title_trash')}", counts, words))
    return [buttons[at : at + 2] for at in range(0, len(buttons), 2)] + [more]


def _list(view: View, name: str, title: str, counts: dict[str, int], words: Words) -> InlineKeyboardButton:
    mark = "✅ " if view.list_name == name else ""
    return _button(f"{mark}{title} {words.number(counts.get(name, 0))}", Browse(action="list", value=name))


def actions(item: Item, types: Types, words: Words) -> InlineKeyboardMarkup:
    """What may be done with an item of the gallery."""

    def does(action: str) -> OfItem:
        return OfItem.model_validate({"action": action, "item_id": item.item_id})

    star = f"💔 {words('favorite_remove')}" if item.favorite else f"⭐ {words('favorite_add')}"
    rows: Rows = [[_button(star, does("unfavorite" if item.favorite else "favorite"))]]
    if item.type in types and item.prompt:
        price = words.count("credits", types[item.type].credits_per_output)
        rows.append([_button(f"🔁 {words('another_for', credits=price)}", does("another"))])
        rows.append([_button(f"✏️ {words('change_words')}", does("words"))])
    rows.append([_button(f"⬇️ {words('save')}", does("save"))])
    if item.prompt:
        rows.append([_button(f"📄 {words('show_words')}", does("prompt"))])
    rows.append([_button(f"🗑️ {words('delete')}", does("delete"))])
    return _keyboard([*rows, [_button(f"⬅️ {words('back')}", does("back"))]])


def statement(newer: bool, older: bool, words: Words) -> InlineKeyboardMarkup:
    row = []
    if newer:
        row.append(_button(f"⬅️ {words('newer')}", Statement(action="newer")))
    if older:
        row.append(_button(f"{words('older')} ➡️", Statement(action="older")))
    return _keyboard([row, _to_start(words)])
