"""Training, in reading order:

loop          Algorithm 1: minibatches, epochs, callbacks
step          one step: forward, backward, update; in chunks if the minibatch is large
state         all that a checkpoint needs
schedule      learning rates and the weight of the KL by epoch
evaluation    the test loss, log p(x), active units
parallel      a step by several processes; processes has rank, shard and barrier
cores         how many there are; threads limits BLAS to one per process
interrupts    Ctrl-C between two batches
"""
