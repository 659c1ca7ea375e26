//! The linter: what is known to do harm, or nothing, in the way a model is regularized.
//!
//! It looks at a description of the model that any face can give: its layers by path, Keras'
//! settings of each, and what each takes its input from. A rule speaks where it is certain; what it
//! cannot know, it does not guess.

mod rules;

use std::fmt;

use oxhorn_ir::{Error, Result};
use oxhorn_nn::Map;

use crate::sequential::Sequential;

/// What is warned of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rule {
    /// One integer seed on two layers that draw: their random numbers are the same.
    SameSeed,
    /// The last layers drop what the model gives.
    AfterOutput,
    /// What is dropped goes straight to a batch normalization.
    BeforeBatchNormalization,
    /// A rate above 0.8.
    HighRate,
    /// A regularizer or a constraint that changes nothing.
    NoEffect,
    /// Dropout of a half or more, with so few samples that it brought no gain.
    FewSamples,
}

impl Rule {
    /// All rules.
    pub const ALL: [Rule; 6] = [
        Rule::SameSeed,
        Rule::AfterOutput,
        Rule::BeforeBatchNormalization,
        Rule::HighRate,
        Rule::NoEffect,
        Rule::FewSamples,
    ];

    /// The name by which a rule is silenced: `same_seed`.
    pub fn name(self) -> &'static str {
        match self {
            Rule::SameSeed => "same_seed",
            Rule::AfterOutput => "after_output",
            Rule::BeforeBatchNormalization => "before_batch_normalization",
            Rule::HighRate => "high_rate",
            Rule::NoEffect => "no_effect",
            Rule::FewSamples => "few_samples",
        }
    }

    /// The rule of this name.
    ///
    /// # Errors
    ///
    /// If there is none.
    pub fn named(name: &str) -> Result<Rule> {
        Rule::ALL.into_iter().find(|rule| rule.name() == name).ok_or_else(|| {
            Error::new(format!("the linter has no rule `{name}`"))
                .help(format!("there are {}", Rule::ALL.map(Rule::name).join(", ")))
        })
    }
}

/// What a rule says of a layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// The rule.
    pub rule: Rule,
    /// The path of the layer.
    pub layer: String,
    /// What is wrong, and why.
    pub reason: String,
    /// How to mend it.
    pub help: String,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Warning { rule, layer, reason, help } = self;
        write!(f, "`{layer}`: {reason} [{}]\n  help: {help}", rule.name())
    }
}

/// A layer of the model that is looked at.
#[derive(Clone, Debug, PartialEq)]
pub struct Site {
    /// Where it is: its name, after those of the models around it.
    pub path: String,
    /// The name of its class, such as `Dropout`.
    pub class: String,
    /// Its settings, as in Keras' dictionary of it; a seed only if it was given one.
    pub settings: Map,
    /// Whether training changes its weights.
    pub trainable: bool,
    /// What it takes.
    pub inputs: Inputs,
    /// Whether the model gives what it gives.
    pub is_output: bool,
}

/// What a layer takes its input from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Inputs {
    /// These other layers, by position; the model's input alone if there are none.
    From(Vec<usize>),
    /// Only the code that calls it knows.
    Unknown,
}

/// All that is to be said of these layers; of the number of samples too, where it is known.
pub fn check(sites: &[Site], samples: Option<usize>) -> Vec<Warning> {
    rules::check(sites, samples)
}

/// What somebody was told of a model, and what they do not want to hear.
#[derive(Clone, Debug, Default)]
pub(crate) struct Told {
    pub(crate) allowed: Vec<Rule>,
    known: Vec<Warning>,
}

impl Told {
    /// Those warnings that are news, which they then are no more.
    fn news(&mut self, warnings: Vec<Warning>) -> Vec<Warning> {
        let is_news = |it: &Warning| !self.allowed.contains(&it.rule) && !self.known.contains(it);
        let news: Vec<Warning> = warnings.into_iter().filter(is_news).collect();
        self.known.extend(news.iter().cloned());
        news
    }
}

impl Sequential {
    /// What is known to do harm, or nothing, in the way the model is regularized. `compile` prints
    /// the same to the standard error, once; see [`Compile::allow`](crate::Compile::allow).
    ///
    /// ```
    /// use oxhorn::{lint::Rule, prelude::*};
    ///
    /// let model = Sequential::new()
    ///     .add(Dropout::new(0.9).seed(1))
    ///     .add(Dense::new(3))
    ///     .add(Dropout::new(0.5).seed(1));
    /// let rules: Vec<Rule> = model.lint().iter().map(|warning| warning.rule).collect();
    /// assert_eq!(rules, [Rule::HighRate, Rule::SameSeed, Rule::AfterOutput]);
    /// ```
    pub fn lint(&self) -> Vec<Warning> {
        check(&self.sites(), None)
    }

    /// [`Sequential::lint`], for training on so many samples. `fit` prints what is new in it.
    pub fn lint_for(&self, samples: usize) -> Vec<Warning> {
        check(&self.sites(), Some(samples))
    }

    /// Prints what nobody was told yet.
    pub(crate) fn warn(&mut self, samples: Option<usize>) {
        let warnings = check(&self.sites(), samples);
        for warning in self.told.news(warnings) {
            eprintln!("warning: {warning}");
        }
    }

    fn sites(&self) -> Vec<Site> {
        let last = self.layers.len().saturating_sub(1);
        let site = |(i, (name, layer)): (usize, &(String, oxhorn_nn::AnyLayer))| Site {
            path: name.clone(),
            class: layer.class_name().to_owned(),
            settings: layer.envelope()["config"].as_object().cloned().unwrap_or_default(),
            trainable: layer.trainable,
            inputs: Inputs::From(i.checked_sub(1).into_iter().collect()),
            is_output: i == last,
        };
        self.layers.iter().enumerate().map(site).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prelude::*;

    fn seeded_twice() -> Sequential {
        Sequential::new()
            .add(Dropout::new(0.5).seed(7))
            .add(Dense::new(3))
            .add(Dropout::new(0.9).seed(7))
            .add(Dense::new(1))
    }

    #[test]
    fn a_rule_is_found_by_its_name() {
        for rule in Rule::ALL {
            assert_eq!(Rule::named(rule.name()), Ok(rule));
        }
        assert_eq!(
            Rule::named("taste").unwrap_err().to_string(),
            "the linter has no rule `taste`\n  help: there are same_seed, after_output, \
             before_batch_normalization, high_rate, no_effect, few_samples"
        );
    }

    #[test]
    fn a_warning_names_layer_reason_rule_and_help() {
        assert_eq!(
            seeded_twice().lint()[0].to_string(),
            "`dropout_1`: it has the seed 7, as `dropout` has, so that both draw the same random \
             numbers, and drop the same units where their inputs are alike [same_seed]\n  help: \
             leave `seed` out and call `set_random_seed` once, or give each layer a seed of its \
             own"
        );
    }

    #[test]
    fn people_are_told_once_and_of_nothing_they_allow() {
        let rules = |allowed: &[Rule], times: usize| {
            let mut model = seeded_twice();
            model.told.allowed = allowed.to_vec();
            let mut news = vec![];
            for _ in 0..times {
                news.extend(model.told.news(model.lint()));
            }
            news.extend(model.told.news(model.lint_for(500)));
            news.iter().map(|it| (it.rule, it.layer.clone())).collect::<Vec<_>>()
        };
        let of_second = |rule| (rule, "dropout_1".to_owned());
        let all = [Rule::SameSeed, Rule::HighRate, Rule::FewSamples].map(of_second);
        assert_eq!(rules(&[], 1), all);
        assert_eq!(rules(&[], 3), all);
        assert_eq!(rules(&[Rule::SameSeed, Rule::FewSamples], 2), [of_second(Rule::HighRate)]);
        assert_eq!(rules(&Rule::ALL, 1), []);
    }
}
