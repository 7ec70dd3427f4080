"""Maps in files. A format is a record in `registry`; the modules beside it register theirs when imported.

=================================================  ==========================================
format                                             module
=================================================  ==========================================
gadf, of WCS maps, dense and sparse                `gadf`
fgst-ccube, fgst-template, fgst-bexpcube           `fgst`
gadf, of region maps                               `region`
ogip, ogip-sherpa, ogip-arf, ogip-arf-sherpa       `ogip`
=================================================  ==========================================
"""
