"""What a person wants to know beside a number: why, how sure, what if, what would change it, who was like this.

Arithmetic over `predict`, for any model: no web inside. Each module answers one call for one case, within a budget of
time, and says where its answer is an approximation.

    question.py         the case and what was asked about it
    subject.py          the model as one number for many cases at once
    coding.py           cases as rows of numbers, so that thousands are made without Python objects
    budget.py           the time there is
"""
