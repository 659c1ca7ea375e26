//! The random streams of the process, which no other test may draw from meanwhile.

use oxhorn::random::{next_seed, permutation, randint, random, set_random_seed, shuffle, streams};

#[test]
fn gives_the_numbers_of_python_from_the_same_seed() {
    // keras.utils.set_random_seed(1337), then two of Python's random.randint(1, 10**9), then
    // np.random.random((2, 3)), np.random.randint(5, size=8) and np.random.permutation(7).
    set_random_seed(1337);
    assert_eq!([next_seed(), next_seed()], [663307073, 993786079]);
    let x = random((2, 3));
    assert_eq!(x.row(0).to_vec(), [0.2620246750155817, 0.1586839721544656, 0.27812651949435974]);
    assert_eq!(x.row(1).to_vec(), [0.45931688721456665, 0.32100054052016713, 0.5183928205975371]);
    assert_eq!(randint(5, 8).to_vec(), [1, 2, 0, 1, 3, 2, 2, 1]);
    assert_eq!(permutation(7).to_vec(), [5, 4, 2, 6, 1, 3, 0]);

    let mut expected = ["a", "b", "c"];
    let mut copy = streams().clone();
    copy.numpy.shuffle(&mut expected);
    let mut items = ["a", "b", "c"];
    shuffle(&mut items);
    assert_eq!(items, expected);

    set_random_seed(1337);
    assert_eq!(next_seed(), 663307073);
}
