// Rows times columns.
graph fits {
    %0 = input "a"                 : f32[2, 3]
    %1 = input "b"                 : f32[3, 4]
    %2 = matmul %0 %1              : f32[2, 4]
    return %2
}

graph each_matrix_of_a_batch_has_its_own_product {
    %0 = input "a"                 : f64[5, 2, 3]
    %1 = input "b"                 : f64[5, 3, 1]
    %2 = matmul %0 %1              : f64[5, 2, 1]
    return %2
}

graph nothing_to_contract_gives_zeros {
    %0 = input "a"                 : f32[2, 0]
    %1 = input "b"                 : f32[0, 4]
    %2 = matmul %0 %1              : f32[2, 4]
    return %2
}

graph inner_extents_differ {
    %0 = input "a"                 : f32[2, 3]
    %1 = input "b"                 : f32[4, 5]
    %2 = matmul %0 %1              : f32[2, 5] // error: `matmul` contracts 3 with 4 in f32[2, 3] · f32[4, 5]
}

graph batches_are_not_broadcast {
    %0 = input "a"                 : f32[5, 2, 3]
    %1 = input "b"                 : f32[1, 3, 4]
    %2 = matmul %0 %1              : f32[5, 2, 4] // error: `matmul` needs equal leading axes, got f32[5, 2, 3] and f32[1, 3, 4]
}

graph integers_do_not_multiply {
    %0 = input "a"                 : i32[2, 2]
    %1 = matmul %0 %0              : i32[2, 2] // error: `matmul` needs real numbers, got i32[2, 2] and i32[2, 2]
}

graph vectors_are_not_matrices {
    %0 = input "a"                 : f32[2]
    %1 = matmul %0 %0              : f32[] // error: `matmul` needs matrices, got f32[2] and f32[2]
}
