//! The tutorial's network: two hidden layers with dropout between, on random data.

use oxhorn::prelude::*;

fn main() -> oxhorn::Result<()> {
    let (x_train, y_train) = (random((1200, 25)), to_categorical(&randint(5, 1200), 5));
    let (x_test, y_test) = (random((200, 25)), to_categorical(&randint(5, 200), 5));

    let mut model = Sequential::new()
        .add(Dense::new(64).activation("relu").input_dim(25))
        .add(Dropout::new(0.4))
        .add(Dense::new(64).activation("relu"))
        .add(Dropout::new(0.4))
        .add(Dense::new(5).activation("softmax"));

    model.compile(Adam::default(), "categorical_crossentropy", ["accuracy"])?;
    let fit = Fit::epochs(10).batch_size(32).validation_data(&x_test, &y_test);
    model.fit(&x_train, &y_train, fit)?;

    let test = model.evaluate(&x_test, &y_test)?;
    println!("Test Model Loss: {}\nTest Model Accuracy: {}", test["loss"], test["accuracy"]);
    Ok(())
}
