"""Does one order of the operations, in real time, explain every answer?"""
