//! Memory that programs run over: aligned, zeroed, of one extent for good.

use std::{
    alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error},
    ptr::NonNull,
};

use oxhorn_ir::{DType, Error, Result};

/// Where every allocation begins: at a cache line, which is a vector of the widest kind.
pub(crate) const ALIGNMENT: usize = 64;

/// An allocation of bytes.
pub(crate) struct Memory {
    start: NonNull<u8>,
    bytes: usize,
}

// SAFETY: the bytes are owned and plain.
unsafe impl Send for Memory {}
// SAFETY: shared access only reads.
unsafe impl Sync for Memory {}

impl Memory {
    /// Zeroed bytes.
    ///
    /// # Errors
    ///
    /// If there are not as many.
    pub(crate) fn new(bytes: usize) -> Result<Memory> {
        Memory::zeroed(bytes).ok_or_else(|| {
            Error::new(format!("there is no memory for the {bytes} bytes of a program"))
                .help("smaller batches need less")
        })
    }

    fn zeroed(bytes: usize) -> Option<Memory> {
        // SAFETY: the layout has at least one line.
        let start = unsafe { alloc_zeroed(layout(bytes)?) };
        Some(Memory { start: NonNull::new(start)?, bytes })
    }

    pub(crate) fn pointer(&self) -> *const u8 {
        self.start.as_ptr()
    }

    pub(crate) fn pointer_mut(&mut self) -> *mut u8 {
        self.start.as_ptr()
    }

    /// `len` elements from byte `offset`.
    pub(crate) fn slice<T: Number>(&self, offset: usize, len: usize) -> &[T] {
        self.check::<T>(offset, len);
        // SAFETY: the elements lie inside, are aligned, and any bytes are a number.
        unsafe { std::slice::from_raw_parts(self.pointer().add(offset).cast(), len) }
    }

    /// The same, to be written.
    pub(crate) fn slice_mut<T: Number>(&mut self, offset: usize, len: usize) -> &mut [T] {
        self.check::<T>(offset, len);
        // SAFETY: as above, and nobody else has access.
        unsafe { std::slice::from_raw_parts_mut(self.pointer_mut().add(offset).cast(), len) }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        self.slice(0, self.bytes)
    }

    pub(crate) fn copy_from(&mut self, other: &Memory) {
        self.slice_mut::<u8>(0, other.bytes).copy_from_slice(other.bytes());
    }

    fn check<T>(&self, offset: usize, len: usize) {
        let inside = len
            .checked_mul(size_of::<T>())
            .and_then(|bytes| bytes.checked_add(offset))
            .is_some_and(|end| end <= self.bytes);
        assert!(inside && offset.is_multiple_of(align_of::<T>()), "elements lie inside the memory");
    }
}

impl Clone for Memory {
    fn clone(&self) -> Memory {
        let copy = Memory::new(self.bytes);
        let mut memory = copy.unwrap_or_else(|_| handle_alloc_error(Layout::new::<u8>()));
        memory.copy_from(self);
        memory
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        let Some(layout) = layout(self.bytes) else { return };
        // SAFETY: allocated in `zeroed` with this layout.
        unsafe { dealloc(self.start.as_ptr(), layout) };
    }
}

/// How so many bytes lie in memory; `None` if no memory has as many.
fn layout(bytes: usize) -> Option<Layout> {
    let lines = bytes.max(1).checked_next_multiple_of(ALIGNMENT)?;
    Layout::from_size_align(lines, ALIGNMENT).ok()
}

/// A Rust type that elements are read and written as; a `bool` is a byte of 0 or 1.
pub trait Number: Copy + Default + PartialEq + Send + Sync + sealed::Plain + 'static {
    /// The element type.
    const DTYPE: DType;
}

mod sealed {
    /// Types of which any bytes are a value.
    pub trait Plain {}
}

macro_rules! numbers {
    ($($ty:ident $dtype:ident)*) => {$(
        impl sealed::Plain for $ty {}

        impl Number for $ty {
            const DTYPE: DType = DType::$dtype;
        }
    )*};
}

numbers! { u8 Bool  i32 I32  i64 I64  u32 U32  f32 F32  f64 F64 }
