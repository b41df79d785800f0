"""A proven upper bound of what consumers could have gained, had somebody known the whole day.

By weak duality. Let every consumer's need have a price per kWh, and the energy in the battery one
for each hour. Whatever these prices are, a plan that pays them and may do in every second what is
best in that second alone earns at least as much as the best real plan: so each set of prices gives
a bound, and `bound` looks for prices with a low one. What the real plan has to respect and this one
has not: minimum times, response, ramps, starts and their costs. The battery takes what sun is left
and gives what the house lacks, but may wait with it for a better hour; that a real one answers one
second late is left out, which is worth less than a cent. With up to
five consumers and no battery, a consumer must draw nothing or at least its minimum; otherwise it
may draw anything up to its maximum. Reality stays below the bound, often by several per cent.
"""
