"""Judging a learner's function.

process        a process for the learner's code, which ends with the check
run            check_functions: the functions of a file or a notebook, one by one
sources        where they come from
watch, places  one of them, watched while it runs
form           what it writes and hands on, before its numbers
verdict        its outputs on a list of trials, compared with an oracle's
outputs        outputs as arrays, compared, and in words
remarks        where a right function loses digits
naming         the name of an error: a known one, a family, or two together
families       relations between what is wrong and what is right
known_errors   the lists of known errors
returns        the names of what each exercise returns
"""
