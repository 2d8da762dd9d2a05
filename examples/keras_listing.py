"""The article's Keras listing of 2016: the net is written exactly as it was published, only the imports have changed.

    TIDEPOOL_DATA=shared/data python examples/keras_listing.py --epochs 10

Trains on affNIST, watches and scores affNIST's test part, keeps the weights and writes a submission.
"""

import argparse

import numpy as np

import tidepool
from tidepool import Sequential
from tidepool.callbacks import EarlyStopping
from tidepool.layers import Activation, Convolution2D, Dense, Dropout, Flatten, MaxPooling2D
from tidepool.utils import np_utils

# fmt: off
np.random.seed(1337)  # for reproducibility

batch_size = 128
nb_classes = 10
nb_epoch = 10

# input image dimensions
img_rows, img_cols = 40, 40
# number of convolutional filters to use
nb_filters = 32
# size of pooling area for max pooling
nb_pool = 2
# convolution kernel size
nb_conv = 3

model = Sequential()

model.add(Convolution2D(20, nb_conv, nb_conv,
                        border_mode='valid',
                        input_shape=(1, img_rows, img_cols)))
model.add(Activation('relu'))
model.add(Convolution2D(60, nb_conv, nb_conv))
model.add(Activation('relu'))
model.add(Convolution2D(120, nb_conv, nb_conv))
model.add(Activation('relu'))
model.add(MaxPooling2D(pool_size=(nb_pool, nb_pool)))
model.add(Dropout(0.25))

model.add(Flatten())
model.add(Dense(150))
model.add(Activation('relu'))
model.add(Dropout(0.5))
model.add(Dense(nb_classes))
model.add(Activation('softmax'))
# EarlyStopping(monitor='val_loss')

model.compile(loss='categorical_crossentropy', optimizer='adadelta')
# fmt: on


def pictures(source, limit):
    """Return float32 [N, 1, 40, 40] in 0..1, padded with background, and the labels (or None)."""
    found = tidepool.read(source)
    found = found.select(slice(limit))
    rows, columns = (size - own for size, own in zip((img_rows, img_cols), found.frame))
    images = np.pad(found.images, [(0, 0), (rows // 2, rows - rows // 2), (columns // 2, columns - columns // 2)])
    return images[:, None].astype("float32") / 255, found.labels


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--train", default="affnist", help="pictures up to 40x40, with labels (default: affnist)")
    parser.add_argument(
        "--validation", default="affnist:test", help="the same, to watch and score (default: affnist:test)"
    )
    parser.add_argument("--test", help="pictures to predict (default: those of --validation)")
    parser.add_argument("--epochs", type=int, default=nb_epoch)
    parser.add_argument("--images", type=int, help="how many pictures to take of each set (default: all)")
    parser.add_argument("--weights", default="my_model_weights1.safetensors")
    parser.add_argument("--out", default="submission.csv")
    options = parser.parse_args()

    X_train, y_train = pictures(options.train, options.images)
    X_test, y_test = pictures(options.validation, options.images)
    print("X_train shape:", X_train.shape)

    # convert class vectors to binary class matrices
    Y_train = np_utils.to_categorical(y_train, nb_classes)
    Y_test = np_utils.to_categorical(y_test, nb_classes)

    model.fit(
        X_train,
        Y_train,
        batch_size=batch_size,
        nb_epoch=options.epochs,
        show_accuracy=True,
        verbose=1,
        validation_data=(X_test, Y_test),
        callbacks=[EarlyStopping(monitor="val_loss")],
    )
    score = model.evaluate(X_test, Y_test, show_accuracy=True, verbose=0)
    print("Test score: {}".format(score[0]))
    print("Test accuracy: {}".format(score[1]))
    model.save_weights(options.weights, overwrite=True)

    testX = pictures(options.test, options.images)[0] if options.test else X_test
    testY = model.predict_classes(testX, verbose=2)
    np.savetxt(
        options.out,
        np.c_[range(1, len(testY) + 1), testY],
        delimiter=",",
        header="ImageId,Label",
        comments="",
        fmt="%d",
    )
    print(f"wrote {options.weights} and {options.out}")


if __name__ == "__main__":
    main()
