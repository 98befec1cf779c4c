/*
 * iris.h - Fisher's iris data (1936): 50 flowers each of setosa, versicolor and virginica.
 *
 * Sepal length and width, petal length and width in tenths of a centimetre, in the usual order.
 */
#ifndef STANDINS_IRIS_H
#define STANDINS_IRIS_H

enum { IRIS_ROWS = 150, IRIS_FEATURES = 4, IRIS_CLASSES = 3, IRIS_CLASS_ROWS = 50 };

extern const unsigned char iris_rows[IRIS_ROWS][IRIS_FEATURES];

/* The class whose mean is nearest to a flower of IRIS_FEATURES numbers, given as texts. */
int iris_classify(const char *const *numbers);

#endif
