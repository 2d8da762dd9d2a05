"""The article's nolearn listing: the net is written exactly as it was published, only the imports have changed.

    TIDEPOOL_DATA=shared/data python examples/nolearn_listing.py --epochs 10

Trains on affNIST, scores affNIST's test part, and writes a submission for Kaggle's Digit Recognizer if --test names one.
"""

import argparse

import numpy as np

import tidepool as lasagne
from tidepool import NeuralNet, layers
from tidepool.updates import nesterov_momentum


# fmt: off
def CNN(n_epochs):
    net1 = NeuralNet(
        layers=[
        ('input', layers.InputLayer),
        ('conv1', layers.Conv2DLayer),
        ('pool1', layers.MaxPool2DLayer),
        ('conv2', layers.Conv2DLayer),
        ('hidden3', layers.DenseLayer),
        ('dropout3', layers.DropoutLayer),
        ('output', layers.DenseLayer),
        ],

    input_shape=(None, 1, 40, 40),
    conv1_num_filters=20,
    conv1_filter_size=(5, 5),
    conv1_nonlinearity=lasagne.nonlinearities.rectify,

    pool1_pool_size=(2, 2),

    conv2_num_filters=60,
    conv2_filter_size=(5, 5),
    conv2_nonlinearity=lasagne.nonlinearities.rectify,

    hidden3_num_units=500,
    output_num_units=10,
    dropout3_p=0.5,
    output_nonlinearity=lasagne.nonlinearities.softmax,

    update=nesterov_momentum,
    update_learning_rate=0.01,
    update_momentum=0.9,

    max_epochs=n_epochs,
    verbose=1,
    )
    return net1
# fmt: on


def pictures(source, limit):
    """Return float32 [N, 1, 40, 40] in 0..1, padded with background, and the labels (or None)."""
    found = lasagne.read(source)
    found = found.select(slice(limit))
    rows, columns = (40 - size for size in found.frame)
    images = np.pad(found.images, [(0, 0), (rows // 2, rows - rows // 2), (columns // 2, columns - columns // 2)])
    return images[:, None].astype(np.float32) / 255, found.labels


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--train", default="affnist", help="pictures up to 40x40, with labels (default: affnist)")
    parser.add_argument("--test", default="affnist:test", help="pictures to predict (default: affnist:test)")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--images", type=int, help="how many pictures to take of each set (default: all)")
    parser.add_argument("--out", default="submission_cnn.csv")
    options = parser.parse_args()

    train, target = pictures(options.train, options.images)
    test, truth = pictures(options.test, options.images)

    cnn = CNN(options.epochs).fit(train, target)

    pred = cnn.predict(test)
    np.savetxt(
        options.out, np.c_[range(1, len(test) + 1), pred], delimiter=",", header="ImageId,Label", comments="", fmt="%d"
    )
    print(f"wrote {options.out}")
    if truth is not None:
        print(f"accuracy on {options.test}: {100 * np.mean(pred == truth):.2f} %")


if __name__ == "__main__":
    main()
