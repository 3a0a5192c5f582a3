"""What a person wants to know beside a number: why, how sure, what if, what would change it, who was like this.

Arithmetic over `predict`, for any model: no web inside. Each call is a function of one module, which aims at a budget
of time and says where its answer is an approximation.

    calls, options           the calls by name, and which options each takes
    question                 the case and what was asked about it
    subject, coding, budget  the model as one number for many cases, cases as rows of numbers, the time there is
    contributions            why
    familiarity              how sure: trust; with tails, combination and familiarity_words
    similar                  who was like this; with distances
    curves                   what if: curve, map and dependence; with grids
    flips                    where the decision changes; with boundaries and grids
    counterfactuals          what would change it; with wishes, reach, starts, search, nearing and hindrances
    robustness               would small changes matter
    decisions                where to draw the line
"""
