//! Makes a loop ready to run: looks up its kernels, and gives every operand a place.

use oxhorn_ir::{DType, Error, Result};
use oxhorn_plan::{
    Action, BufferId, Destination, Instruction, Loop, Operand, Product, RowAction, Span, Walk,
};

use super::{
    BLOCK, Begin, Bound, Keep, Kernel, Micro, Tile, chains,
    share::{is_shared, split},
};
use crate::{
    isa::Isa,
    kernels::{
        elementwise,
        pairs::{self, Side},
        positions, reduce, rows,
    },
    load::{Base, Loader, Site},
    memory::ALIGNMENT,
    product::{self, Element, Strides},
    threefry,
};

impl Tile {
    /// The loop with its kernels and places looked up.
    pub(crate) fn load(it: &Loop, loader: &mut Loader<'_>) -> Result<Tile> {
        let mut builder = Builder::new(it, loader);
        let product = match &it.product {
            Some(product) => Some(Box::new(builder.product(product, &it.code)?)),
            None => None,
        };
        let (mut body, mut rest) = (vec![], it.code.as_slice());
        while let Some((instruction, after)) = rest.split_first() {
            let (micro, after) = match builder.together(rest) {
                Some((micro, count)) => (micro, &rest[count..]),
                None => (builder.micro(instruction)?, after),
            };
            body.push(micro);
            rest = after;
        }
        let Builder { rows, columns, whole_rows, begins, prologue, .. } = builder;
        let split = split(it, (rows, columns), whole_rows.is_some(), product.as_deref(), loader);
        Ok(Tile { rows, columns, whole_rows, product, begins, prologue, body, split })
    }
}

/// Makes the operations of one loop.
struct Builder<'a, 'p> {
    loader: &'a mut Loader<'p>,
    rows: usize,
    columns: usize,
    whole_rows: Option<usize>,
    registers: usize,
    register_bytes: usize,
    begins: Vec<Begin>,
    prologue: Vec<Micro>,
    /// The result of the product, if only the rows at hand are kept.
    passing: Option<BufferId>,
    /// What the prologue has made, and where.
    made: Vec<(Operand, DType, Site)>,
}

impl<'a, 'p> Builder<'a, 'p> {
    fn new(it: &Loop, loader: &'a mut Loader<'p>) -> Builder<'a, 'p> {
        loader.begin_scratch();
        let operands = || it.code.iter().flat_map(|it| &it.args);
        let by_row =
            it.code.iter().any(|it| it.span == Span::Row || matches!(it.action, Action::Row(_)));
        let walks =
            |walk: Walk| operands().any(|arg| matches!(arg, Operand::Memory(_, it) if *it == walk));
        let accumulates = it.code.iter().any(|it| matches!(it.action, Action::Accumulate(_)));
        let shaped = by_row || accumulates || it.product.is_some();
        let shaped = shaped || walks(Walk::Row) || walks(Walk::Column);
        // Without anything that tells rows from columns, the space is one long row.
        let (rows, columns) =
            if shaped { (it.rows, it.columns) } else { (1, it.rows * it.columns) };
        let fits = BLOCK / columns.max(1);
        // Column sums bind rows together, so threads must share columns: in pieces of rows.
        let shared = accumulates && loader.threads > 1 && is_shared(it);
        // Of long rows, blocks are pieces, so that threads may share columns.
        let whole = by_row || shaped && fits > 1 && !shared;
        let whole_rows = whole.then_some(fits.clamp(1, rows.max(1)));
        let block = whole_rows.map_or(BLOCK, |height| height * columns).max(1);
        // One cache line more than a block, so that registers do not compete for the same sets.
        let register_bytes = (block * widest(it)).next_multiple_of(ALIGNMENT) + ALIGNMENT;
        let registers = loader.take_scratch(it.registers * register_bytes);
        let (begins, prologue, made) = (vec![], vec![], vec![]);
        Builder {
            loader,
            rows,
            columns,
            whole_rows,
            registers,
            register_bytes,
            begins,
            prologue,
            passing: None,
            made,
        }
    }

    fn isa(&self) -> Isa {
        self.loader.isa
    }

    fn block_len(&self) -> usize {
        self.whole_rows.map_or(BLOCK.min(self.columns), |height| height * self.columns).max(1)
    }

    fn product(&mut self, it: &Product, code: &[Instruction]) -> Result<Bound> {
        let dtype = self.loader.ty(it.c).dtype;
        let (kernel, scratch, keep) = match dtype {
            DType::F32 => self.bind::<f32>(it, code),
            DType::F64 => self.bind::<f64>(it, code),
            other => return Err(Error::new(format!("there is no product of {other}"))),
        };
        let (a, b) = (self.loader.site(it.a, 0, 0), self.loader.site(it.b, 0, 0));
        let element_bytes = dtype.bytes();
        Ok(Bound { kernel, batch: it.batch, mkn: it.mkn, a, b, element_bytes, scratch, keep })
    }

    /// The kernel of a product, with scratch memory, and what is kept of its result.
    fn bind<T: Element>(&mut self, it: &Product, code: &[Instruction]) -> (Kernel, usize, Keep)
    where
        Kernel: From<product::Product<T>>,
    {
        let [m, k, n] = it.mkn;
        let strides = |rows: usize, columns: usize, transposed: bool| match transposed {
            true => Strides::transposed(rows),
            false => Strides::row_major(columns),
        };
        let (a, b) = (strides(m, k, it.transposed[0]), strides(k, n, it.transposed[1]));
        let whole = product::Product::<T>::new(self.isa(), it.mkn, a, b, n);
        let passing = whole.passing().filter(|_| self.passes(it.c, code));
        let kernel = passing.unwrap_or(whole);
        let scratch = self.loader.take_scratch(kernel.scratch_len() * size_of::<T>());
        let keep = match passing {
            None => Keep::All(self.loader.site(it.c, 0, 0)),
            Some(kernel) => {
                self.passing = Some(it.c);
                let offset = self.loader.take_scratch(kernel.window_len() * size_of::<T>());
                let row = n * size_of::<T>();
                Keep::Passing(Site { base: Base::Scratch, offset, row, column: 0 })
            }
        };
        (kernel.into(), scratch, keep)
    }

    /// Whether only this code reads a product's result, element by element along with the loop, and
    /// leaves nothing in its place.
    fn passes(&self, c: BufferId, code: &[Instruction]) -> bool {
        let place = |id| self.loader.site(id, 0, 0);
        let along = |arg: &Operand| match arg {
            Operand::Memory(id, walk) => *id != c || *walk == Walk::Element,
            _ => true,
        };
        let elsewhere = |it: &Instruction| match it.to {
            Destination::Memory(id) => place(id) != place(c),
            Destination::Register(_) => true,
        };
        self.loader.is_of_one_step(c)
            && !code.is_empty()
            && code.iter().all(|it| it.args.iter().all(along) && elsewhere(it))
    }

    fn micro(&mut self, it: &Instruction) -> Result<Micro> {
        let (isa, dtype) = (self.isa(), it.dtype);
        let unsupported = || Error::new(format!("this processor has no kernel for `{it}`"));
        let run = match it.action {
            Action::Unary(op) => elementwise::unary(isa, op, dtype).ok_or_else(unsupported)?,
            Action::Binary(op) => elementwise::binary(isa, op, dtype).ok_or_else(unsupported)?,
            Action::Compare(op) => elementwise::compare(isa, op, dtype),
            Action::Select => elementwise::select(isa, dtype),
            Action::Cast(to) => elementwise::cast(isa, dtype, to),
            Action::Move => elementwise::cast(isa, dtype, dtype),
            _ => return self.other(it),
        };
        let mut args = [Site::default(); 3];
        for (index, (site, arg)) in args.iter_mut().zip(&it.args).enumerate() {
            let dtype = if it.action == Action::Select && index == 0 { DType::Bool } else { dtype };
            *site = self.operand(arg, dtype);
        }
        Ok(Micro::Map { run, span: it.span, to: self.destination(it), args })
    }

    /// Instructions that are done in one pass, and how many there are.
    fn together(&mut self, code: &[Instruction]) -> Option<(Micro, usize)> {
        if let Some((key, limit, to)) = chains::below(code) {
            let Operand::Memory(key, _) = key else { return None };
            let limit = self.number(&limit)?;
            let (run, key) = (threefry::below(self.isa()), self.loader.site(key, 0, 0));
            return Some((Micro::Below { run, to: self.element(to), key, limit }, 4));
        }
        if let Some(found) = chains::find(code) {
            let chain = found.chain;
            let mut sites = vec![];
            for (arg, (_, dtype)) in found.arguments.iter().zip(chain.arguments) {
                sites.push(self.operand(arg, *dtype));
            }
            for number in &found.numbers {
                sites.push(self.number(number)?);
            }
            sites.extend(found.results.iter().map(|to| self.element(*to)));
            let run = (chain.pass)(self.isa());
            return Some((Micro::Chain { run, sites: sites.into() }, chain.links.len()));
        }
        let [first, second, rest @ ..] = code else { return None };
        Some((self.pair(first, second, rest)?, 2))
    }

    /// The place of a number of f32 that is the same for all elements.
    fn number(&mut self, operand: &Operand) -> Option<Site> {
        match *operand {
            Operand::Memory(id, _) => Some(self.loader.site(id, 0, 0)),
            Operand::Constant(value) => Some(self.loader.constant(value, DType::F32, 1)),
            Operand::Register(_) => None,
        }
    }

    /// The place of a result that has an element for each of the loop's.
    fn element(&self, to: Destination) -> Site {
        match to {
            Destination::Register(register) => self.register(register),
            Destination::Memory(id) => self.walked(id, Walk::Element),
        }
    }

    /// Two instructions as one loop, if the second alone reads what the first gives.
    fn pair(
        &mut self,
        first: &Instruction,
        second: &Instruction,
        rest: &[Instruction],
    ) -> Option<Micro> {
        let (Action::Binary(one), Action::Binary(two)) = (first.action, second.action) else {
            return None;
        };
        let Destination::Register(register) = first.to else { return None };
        let floats = first.dtype == DType::F32 && second.dtype == DType::F32;
        let between = Operand::Register(register);
        let side = match (second.args[0] == between, second.args[1] == between) {
            (true, false) => Side::Left,
            (false, true) => Side::Right,
            _ => return None,
        };
        let dead = second.to == first.to || chains::is_dead(register, rest);
        if !floats || first.span != second.span || !dead {
            return None;
        }
        let run = pairs::pair(self.isa(), one, two, side)?;
        let other = second.args[if side == Side::Left { 1 } else { 0 }];
        let [a, b, c] =
            [first.args[0], first.args[1], other].map(|arg| self.operand(&arg, DType::F32));
        Some(Micro::Map { run, span: second.span, to: self.destination(second), args: [a, b, c] })
    }

    /// The operations that are not loops over single elements.
    fn other(&mut self, it: &Instruction) -> Result<Micro> {
        let (isa, dtype) = (self.isa(), it.dtype);
        let unsupported = || Error::new(format!("this processor has no kernel for `{it}`"));
        let to = self.destination(it);
        let x = match it.args.first() {
            Some(Operand::Memory(id, _)) if it.action == Action::RandomBits => {
                self.loader.site(*id, 0, 0)
            }
            Some(arg) => self.operand(arg, dtype),
            None => Site::default(),
        };
        Ok(match it.action {
            Action::RandomBits => Micro::Random { run: threefry::fill(isa), to, key: x },
            Action::Iota { extent, inner } => {
                let run = positions::positions(dtype).ok_or_else(unsupported)?;
                Micro::Positions { run, to, extent, inner }
            }
            Action::Row(RowAction::Reduce(reduction)) => {
                let run = reduce::rows(isa, reduction, dtype).ok_or_else(unsupported)?;
                Micro::Rows { run, to, x }
            }
            Action::Row(RowAction::ArgMax) => Micro::Rows { run: rows::argmax(isa, dtype), to, x },
            Action::Spread => Micro::Rows { run: rows::spread(dtype), to, x },
            Action::Accumulate(reduction) => {
                let run = reduce::columns(isa, reduction, dtype).ok_or_else(unsupported)?;
                self.begin_at(reduction.identity(dtype), dtype, to, it.span);
                if it.span == Span::Element {
                    return Ok(Micro::Accumulate { run, to, x });
                }
                // Blocks of whole rows follow from the shape alone, and so does the order of a sum.
                let reduce = reduce::rows(isa, reduction, dtype).ok_or_else(unsupported)?;
                let offset = self.loader.take_scratch(dtype.bytes());
                let between = Site { base: Base::Scratch, offset, row: 0, column: 0 };
                Micro::Total { run: [reduce, run], to, x, between }
            }
            _ => return Err(unsupported()),
        })
    }

    /// Sets what is accumulated to the value for no elements, before the first block.
    fn begin_at(&mut self, identity: f64, dtype: DType, to: Site, span: Span) {
        let x = self.loader.constant(identity, dtype, 1);
        self.begins.push(Begin { run: elementwise::splat(self.isa(), dtype), span, to, x });
    }

    fn destination(&mut self, it: &Instruction) -> Site {
        let to_rows = it.span == Span::Row || matches!(it.action, Action::Row(_));
        match (it.to, it.action, it.span) {
            (Destination::Register(register), ..) => self.register(register),
            (Destination::Memory(id), Action::Accumulate(_), Span::Row) => {
                self.loader.site(id, 0, 0)
            }
            (Destination::Memory(id), Action::Accumulate(_), Span::Element) => {
                self.walked(id, Walk::Column)
            }
            (Destination::Memory(id), ..) if to_rows => self.walked(id, Walk::Row),
            (Destination::Memory(id), ..) => self.walked(id, Walk::Element),
        }
    }

    fn register(&self, register: usize) -> Site {
        let offset = self.registers + register * self.register_bytes;
        Site { base: Base::Scratch, offset, row: 0, column: 0 }
    }

    fn walked(&self, id: BufferId, walk: Walk) -> Site {
        let bytes = self.loader.ty(id).dtype.bytes();
        let (row, column) = match walk {
            Walk::Element => (self.columns * bytes, bytes),
            Walk::Row => (bytes, 0),
            Walk::Column => (0, bytes),
            Walk::Whole => (0, 0),
        };
        if self.passing == Some(id) {
            return Site { base: Base::Passing, offset: 0, row, column };
        }
        self.loader.site(id, row, column)
    }

    /// The place of an operand; what is the same for every block is spread out in the prologue.
    fn operand(&mut self, arg: &Operand, dtype: DType) -> Site {
        let len = self.block_len();
        match *arg {
            Operand::Register(register) => self.register(register),
            Operand::Constant(value) => self.loader.constant(value, dtype, len),
            Operand::Memory(id, Walk::Whole) => self.once(arg, dtype, |it| {
                let (run, to) = (elementwise::splat(it.isa(), dtype), it.block(dtype));
                let args = [it.loader.site(id, 0, 0), Site::default(), Site::default()];
                (Micro::Map { run, span: Span::Element, to, args }, to)
            }),
            Operand::Memory(id, Walk::Column) if self.whole_rows.is_some() => {
                self.once(arg, dtype, |it| {
                    let (x, to) = (it.walked(id, Walk::Column), it.block(dtype));
                    (Micro::Repeat { bytes: it.columns * dtype.bytes(), to, x }, to)
                })
            }
            Operand::Memory(id, walk) => self.walked(id, walk),
        }
    }

    /// Room for a block in scratch memory.
    fn block(&mut self, dtype: DType) -> Site {
        let bytes = self.block_len() * dtype.bytes();
        let offset = self.loader.take_scratch(bytes + ALIGNMENT);
        Site { base: Base::Scratch, offset, row: 0, column: 0 }
    }

    fn once(
        &mut self,
        arg: &Operand,
        dtype: DType,
        make: impl FnOnce(&mut Self) -> (Micro, Site),
    ) -> Site {
        let found = self.made.iter().find(|(known, ty, _)| known == arg && *ty == dtype);
        if let Some((.., site)) = found {
            return *site;
        }
        let (micro, site) = make(self);
        self.prologue.push(micro);
        self.made.push((*arg, dtype, site));
        site
    }
}

/// Bytes of the widest element that any register holds.
fn widest(it: &Loop) -> usize {
    let bytes = |it: &Instruction| it.result().bytes().max(it.dtype.bytes());
    it.code.iter().map(bytes).max().unwrap_or(1)
}
